{ lib, size }:
with import lib;
let
  hosts = genAttrs (map (n: "host${toString n}") (range 1 size)) (name: {
    inherit name;
    network.address = "10.0.0.${removePrefix "host" name}";
    network.ports = [ 22 80 ];
    services.web.enable = hasSuffix "7" name;
  });
  web = filterAttrs (_: host: attrByPath [ "services" "web" "enable" ] false host) hosts;
  changed = recursiveUpdate hosts (mapAttrs (_: _: { network.ports = [ 443 ]; }) web);
  strings = mapAttrsRecursive (path: value: "${concatStringsSep "." path}=${builtins.toJSON value}") changed;
in
[
  (attrNames web)
  (length (collect isString strings))
  (length (concatLists (mapAttrsToList (_: host: host.network.ports) changed)))
  (zipAttrsWith (_: length) (attrValues changed))
  (mapAttrs' (name: _: nameValuePair "${name}-web" (stringLength name)) web)
  (foldlAttrs (n: _: host: n + stringLength host.network.address) 0 changed)
]
