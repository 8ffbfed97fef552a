with builtins; [
  (getAttr "a" { a = 1; b = throw "no"; }) (getAttr "a b" { "a b" = 2; })
  (hasAttr "a" { a = throw "no"; }) (hasAttr "b" { a = 1; }) (hasAttr "a.b" { a.b = 1; })
]
