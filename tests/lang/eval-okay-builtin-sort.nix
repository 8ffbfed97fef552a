with builtins; [
  (sort lessThan [ 3 1 2 ]) (sort (a: b: a > b) [ 3 1 2 ]) (sort lessThan [ ]) (sort lessThan [ "b" "a" "é" "Z" ])
  # What is equal keeps its order.
  (sort (a: b: a.k < b.k) [ { k = 2; n = "a"; } { k = 1; n = "b"; } { k = 2; n = "c"; } { k = 1; n = "d"; } ])
  (sort (a: b: false) [ 3 1 2 ]) (sort (throw "not called") [ ])
  (sort (a: b: (sort (c: d: c < d) [ b a ]) == [ a b ] && a != b) [ 3 2 1 ])
]
