builtins.foldl' (a: b: if b == 1 then throw "each step is evaluated" else 0) 0 [ 1 2 ]
