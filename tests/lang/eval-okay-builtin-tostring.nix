map toString [
  1 (-1) 1.5 1.0e30 true false null "s" [ 1 [ 2 "x" ] [ ] null true ] /a/b
  { __toString = self: "from ${self.name}"; name = "me"; } { outPath = "/out"; }
]
