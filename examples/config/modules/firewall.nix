# Open ports, gathered from all the modules that need one.
{ config, lib }:
{
  options.firewall = lib.option (lib.types.group {
    open = lib.optionWith (lib.types.listOf lib.types.port) [ ];
  });
}
