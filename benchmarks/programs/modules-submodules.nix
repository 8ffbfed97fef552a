# One option whose value is a set of submodules, each of them evaluated on its own.
{ lib, size }:
with import lib;
let
  host =
    { name, config, ... }:
    {
      options = {
        address = mkOption { type = types.str; };
        aliases = mkOption { type = types.listOf types.str; default = [ ]; };
        role = mkOption { type = types.enum [ "web" "db" ]; default = "web"; };
        memory = mkOption { type = types.nullOr types.ints.positive; default = null; };
        line = mkOption { type = types.str; readOnly = true; };
      };
      config.line = concatStringsSep " " ([ config.address name config.role ] ++ config.aliases);
    };
  network =
    { config, ... }:
    {
      options.hosts = mkOption { type = types.attrsOf (types.submodule host); };
      options.file = mkOption { type = types.lines; };
      config.file = mkMerge (mapAttrsToList (_: host: host.line) config.hosts);
    };
  first = n: { name = "host${toString n}"; value = { address = "10.0.0.${toString n}"; }; };
  second = n: {
    name = "host${toString n}";
    value = { aliases = [ "h${toString n}" ]; role = mkIf (n > 5) (mkForce "db"); memory = n; };
  };
  hosts = of: { hosts = listToAttrs (map of (range 1 size)); };
in
(evalModules { modules = [ network (hosts first) (hosts second) ]; }).config.file
