# Lines of `key = value`, taken apart with regular expressions.
{ size }:
let
  text = builtins.concatStringsSep "\n" (
    builtins.genList (n: "key${toString n} = ${toString (n * 3)} # comment") size
  );
  lines = builtins.filter builtins.isString (builtins.split "\n" text);
  parsed = map (builtins.match "([a-z0-9]+) = ([0-9]+) #.*") lines;
  settings = builtins.listToAttrs (
    map (pair: { name = builtins.head pair; value = builtins.fromJSON (builtins.elemAt pair 1); }) parsed
  );
in
builtins.foldl' (sum: n: sum + n) 0 (builtins.attrValues settings)
