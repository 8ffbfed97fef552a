# An element is a simple expression: application needs parentheses.
let f = x: x * 2; in [ f (f 1) (f) { }.a or "x" "s"
  (builtins.length [ 1 2 ]) (-1) ]
