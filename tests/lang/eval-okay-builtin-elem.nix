with builtins; [
  (elem 1 [ 1 2 ]) (elem 3 [ 1 2 ]) (elem 1.0 [ 1 ]) (elem { a = 1; } [ { a = 1; } ]) (elem 1 [ ])
  # It stops at the first that is equal.
  (elem 1 [ 1 (throw "no") ])
]
