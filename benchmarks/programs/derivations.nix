# The derivation path of each package that the JSON file `names` lists.
{ names, nixpkgs }:
let
  config = { allowUnfree = true; allowBroken = true; };
  packages = import nixpkgs { system = "x86_64-linux"; inherit config; };
  named = name: { inherit name; value = packages.${name}.drvPath; };
in
builtins.listToAttrs (map named (builtins.fromJSON (builtins.readFile names)))
