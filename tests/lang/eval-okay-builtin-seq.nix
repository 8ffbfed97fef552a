with builtins; [ (seq 1 2) (seq [ (throw "no") ] 3) (seq { a = throw "no"; } 4) (tryEval (seq (throw "yes") 5)).success ]
