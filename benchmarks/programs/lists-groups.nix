{ size }:
let
  digits = n: if n < 10 then n else digits (n / 10) + (n - n / 10 * 10);
  groups = builtins.groupBy (n: toString (digits n)) (builtins.genList (n: n) size);
  parts = builtins.mapAttrs (_: builtins.partition (n: n / 2 * 2 == n)) groups;
in
builtins.mapAttrs (_: part: [ (builtins.length part.right) (builtins.length part.wrong) ]) parts
