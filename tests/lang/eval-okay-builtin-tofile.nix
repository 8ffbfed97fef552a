with builtins;
let
  inner = toFile "inner" "x\n";
  outer = toFile "outer.nix" "[ \"${inner}\" ${./tree} 1 ]";
in
[ inner (getContext inner) outer (getContext outer) (toFile "empty" "") (readFile inner) (readFile outer) (getContext (readFile outer))
  (getContext (readFile inner)) (elemAt (import outer) 2) (readFileType inner) (pathExists outer) (pathExists "${outer}/x") (toFile "b" "é") ]
