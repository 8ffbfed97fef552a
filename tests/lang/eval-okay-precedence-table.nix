# Selection, application, negation, ?, ++, * /, + -, !, //, comparison, ==, &&, ||, ->.
let s = { a = 1; }; l = [ 1 ]; in [
  (-s.a + 2 * 3)
  (!s ? b)
  (l ++ l == [ 1 1 ])
  (s // { b = 2; } == { a = 1; b = 2; })
  (1 + 2 < 4 && true)
  (false || true -> false)
  (1 < 2 == true)
  ([ ] ++ [ 1 ] ++ [ 2 ] == [ 1 2 ])
]
