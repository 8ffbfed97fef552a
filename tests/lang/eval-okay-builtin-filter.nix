with builtins; [
  (filter (x: x > 1) [ 1 2 3 ]) (filter throw [ ])
  # Whether an element stays is decided; what it is, not.
  (length (filter (x: true) [ (throw "no") ]))
]
