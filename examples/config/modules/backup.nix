# Backs up what the other services keep on disk.
{ config, lib }:
let
  inherit (lib) types option optionWith;
  hosts = builtins.attrValues config.web.hosts;
in
{
  options.backup = option (types.group {
    schedule = optionWith types.string "daily";
    paths = optionWith (types.listOf types.string) [ ];
  });

  config.backup.paths = map (host: host.root) hosts;
}
