with builtins; [ (genList (x: x * x) 5) (genList throw 0) (length (genList (x: throw "no") 3)) ]
