let
  d = derivation { name = "d"; system = "s"; builder = "b"; outputs = [ "dev" "out" "a-b" ]; self = placeholder "dev"; };
  user = derivation { name = "u"; system = "s"; builder = d.out; args = [ d.a-b d ]; deep = builtins.unsafeDiscardOutputDependency d.drvPath; };
  only = derivation { name = "l"; system = "s"; builder = "b"; outputs = [ "lib" ]; };
in
[
  d.drvPath d.outPath d.outputName (map (o: [ o.outputName o.outPath o.type ]) d.all) (builtins.attrNames d) (builtins.attrNames d.drvAttrs)
  (builtins.getContext "${d}") (builtins.getContext d.drvPath) (builtins.getContext "${d.out}${d.dev}") d.out.out.dev.outPath
  user.drvPath user.outPath only.lib.outPath only.outPath (builtins.derivationStrict only.drvAttrs)
  (d == d.dev) (d == d.out) ((d // { x = 1; }) == d)
]
