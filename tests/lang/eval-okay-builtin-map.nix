with builtins; [
  (map (x: x * 2) [ 1 2 3 ]) (map (x: x) [ ]) (map toString [ 1 true null ])
  # Nothing is computed before it is asked for.
  (length (map throw [ "a" "b" ])) (head (map (x: x + 1) [ 1 (throw "no") ]))
  (map ({ a, b ? a }: a + b) [ { a = 1; } { a = 1; b = 5; } ])
]
