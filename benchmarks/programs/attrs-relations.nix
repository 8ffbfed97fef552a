# Sets as tables: joined, cut and counted.
{ size }:
let
  table =
    prefix: count:
    builtins.listToAttrs (
      builtins.genList (n: { name = "${prefix}${toString n}"; value = { key = n; }; }) count
    );
  left = table "k" size;
  right = table "k" (size / 2) // table "r" (size / 2);
  both = builtins.intersectAttrs right left;
  rest = builtins.removeAttrs left (builtins.attrNames both);
  count = names: set: builtins.foldl' (n: name: if set ? ${name} then n + 1 else n) 0 names;
in
[
  (builtins.length (builtins.attrNames rest))
  (count (builtins.attrNames right) left)
  (builtins.foldl' (sum: row: sum + row.key) 0 (builtins.attrValues both))
  (left == left // both)
]
