with builtins; [
  (foldl' (a: b: a - b) 10 [ 1 2 3 ]) (foldl' (a: b: b) (throw "unused") [ 1 ])
  (foldl' (a: b: a ++ [ b ]) [ ] [ 1 2 ])
  (foldl' (a: b: a + b) 0 (genList (x: x) 2000))
]
