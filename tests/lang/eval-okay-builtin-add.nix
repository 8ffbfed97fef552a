with builtins; [
  (add 1 2) (add 1 0.5) (add 1.5 1.5) (add (-3) 3) (add 9223372036854775807 0)
  (map (add 1) [ 1 2 ])
]
