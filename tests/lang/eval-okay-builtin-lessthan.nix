with builtins; [
  (lessThan 1 2) (lessThan 2 1) (lessThan 1 1) (lessThan 1 1.5)
  (lessThan "a" "b") (lessThan "" "a") (lessThan "B" "a") (lessThan "z" "é")
  (lessThan [ 1 2 ] [ 1 3 ]) (lessThan [ ] [ 1 ]) (lessThan [ 1 ] [ 1 ])
  # Only as much of the lists is looked at as the answer needs.
  (lessThan [ 1 (throw "no") ] [ 2 (throw "no") ])
  (lessThan /a /b)
]
