# drvPath in an attribute: all outputs of all that the derivation is made from.
let
  make = name: attributes: derivation ({ inherit name; system = "s"; builder = "b"; } // attributes);
  a = make "a" { outputs = [ "out" "dev" ]; src = ./tree; };
  b = make "b" { inherit a; text = builtins.toFile "t" "see ${./tree}"; };
  deep = make "deep" { of = b.drvPath; also = "${a.dev}"; };
  shallow = make "shallow" { of = builtins.unsafeDiscardOutputDependency b.drvPath; };
  again = make "again" { of = builtins.addDrvOutputDependencies shallow.of; };
  nothing = make "nothing" { of = builtins.unsafeDiscardStringContext b.drvPath; };
in
[ (map (d: [ d.drvPath d.outPath ]) [ deep shallow again nothing ]) (builtins.getContext deep.of) (builtins.getContext again.of)
  (builtins.getContext (builtins.readFile (builtins.unsafeDiscardOutputDependency b.drvPath)))
  (builtins.readFile (builtins.unsafeDiscardOutputDependency deep.drvPath)) ]
