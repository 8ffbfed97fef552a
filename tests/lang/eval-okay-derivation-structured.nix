let
  base = { name = "d"; system = "s"; builder = "b"; };
  input = derivation (base // { name = "input"; });
  paths = attributes: let d = derivation (base // { __structuredAttrs = true; } // attributes); in [ d.drvPath d.outPath ];
in
map paths [
  { }
  { a = null; b = [ 1 2.5 true { c = "é\n"; } ]; src = ./tree; z.y.x = [ ]; }
  { inputs = [ input input.drvPath ]; set = { outPath = input; }; }
  { outputs = [ "out" "dev" ]; args = [ "x" input ]; }
  { __ignoreNulls = true; a = null; b.c = null; }
  { builder = "${input}/bin/sh"; }
  { outputHash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="; outputHashMode = "recursive"; }
]
