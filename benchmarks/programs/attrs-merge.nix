{ size }:
let
  numbers = builtins.genList (n: n) size;
  named = f: builtins.listToAttrs (map (n: { name = "key${toString n}"; value = f n; }) numbers);
  merged = named (n: n) // builtins.mapAttrs (_: n: n + 1) (named (n: n * 2));
  small = builtins.filter (name: merged.${name} < size) (builtins.attrNames merged);
in
builtins.foldl' (sum: n: sum + n) (builtins.length small) (builtins.attrValues merged)
