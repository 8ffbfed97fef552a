with builtins;
let
  s = {
    a = 1;
    b.c = 2;
  };
  where = set: name: let p = unsafeGetAttrPos name set; in if p == null then null else [ p.line p.column (baseNameOf p.file) ];
in [ (where s "a") (where s.b "c") (where s "missing") (where (s // { d = 1; }) "a") (where (mapAttrs (n: v: v) s) "a") (where (listToAttrs [ { name = "x"; value = 1; } ]) "x") ]
