with builtins;
let circle = { self = circle; list = [ circle ]; };
in [
  (deepSeq { a = [ 1 { b = 2; } ]; } 3)
  (deepSeq circle 4)
  (deepSeq (x: throw "a function's body is not run") 5)
  (tryEval (deepSeq { a = [ (throw "found") ]; } 6)).success
]
