{ size }:
let
  item = n: "item-${toString n}=${toString (n * n)}";
in
builtins.hashString "sha256" (builtins.concatStringsSep "," (map item (builtins.genList (n: n) size)))
