# `or` is an ordinary name where it cannot be the operator.
let s = { or = 1; x.or = 2; }; in [ s.or s.x.or (s.y or 3) ]
