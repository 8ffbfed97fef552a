with builtins; [
  (tryEval 1)
  (tryEval (throw "caught"))
  (tryEval (assert false; 1))
  (tryEval <no-such-entry>)
  # Only the outermost constructor is evaluated.
  (tryEval [ 1 ]).success
  (tryEval { a = throw "inside"; }).success
  (tryEval (tryEval (throw "a"))).value
  (let x = tryEval (throw "twice"); in [ x x ])
]
