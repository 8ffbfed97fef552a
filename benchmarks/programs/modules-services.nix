# `size` services, each with options of its own, that also add to options all of them share.
{ lib, size }:
with import lib;
let
  service =
    n:
    { config, ... }:
    let
      name = "service${toString n}";
      this = config.services.${name};
    in
    {
      options.services.${name} = {
        enable = mkEnableOption name;
        port = mkOption { type = types.port; default = 8000 + n; };
        user = mkOption { type = types.str; default = name; };
        settings = mkOption { type = types.attrsOf (types.either types.int types.str); default = { }; };
      };
      config = mkMerge [
        { services.${name}.enable = mkDefault (n / 4 * 4 != n); }
        (mkIf this.enable {
          ports = [ this.port ];
          users.${this.user} = { uid = 1000 + n; };
          services.${name}.settings = { inherit (this) port; log = "info"; };
        })
      ];
    };
  shared = {
    options.ports = mkOption { type = types.listOf types.port; default = [ ]; };
    options.users = mkOption { type = types.attrsOf (types.attrsOf types.int); default = { }; };
  };
  site = {
    services.service3.settings.log = mkForce "debug";
    services.service5.user = "web";
  };
  config = (evalModules { modules = [ shared site ] ++ genList service size; }).config;
in
{
  inherit (config) ports users;
  logs = mapAttrs (_: s: s.settings.log or "none") config.services;
}
