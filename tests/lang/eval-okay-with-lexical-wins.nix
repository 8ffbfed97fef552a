# A variable that is bound around the `with`, however far out, wins over it.
let a = "let"; in (b: with { a = "with"; b = "with"; c = "with"; }; [ a b c ]) "argument"
