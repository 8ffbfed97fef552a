with builtins; [
  (all (x: x > 0) [ 1 2 ]) (all (x: x > 1) [ 1 2 ]) (all throw [ ])
  (any (x: x > 1) [ 1 2 ]) (any (x: x > 2) [ 1 2 ]) (any throw [ ])
  # Both stop as soon as they know.
  (all (x: x) [ false (throw "no") ]) (any (x: x) [ true (throw "no") ])
]
