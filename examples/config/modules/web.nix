# A web server with virtual hosts. The firewall learns its ports from here.
{ config, lib }:
let
  inherit (lib) types option optionWith;
  host = types.group {
    root = option types.string;
    tls = optionWith types.bool true;
    aliases = optionWith (types.listOf types.string) [ ];
  };

  web = config.web;
  hosts = builtins.attrValues web.hosts;
  ports = [ web.port ] ++ (if builtins.any (host: host.tls) hosts then [ web.tlsPort ] else [ ]);
in
{
  options.web = option (types.group {
    enable = optionWith types.bool false;
    port = optionWith types.port 80;
    tlsPort = optionWith types.port 443;
    hosts = optionWith (types.attrsOf host) { };
  });

  config.firewall.open = if web.enable then ports else [ ];
}
