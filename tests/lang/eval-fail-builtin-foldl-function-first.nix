builtins.foldl' (throw "the function is evaluated even for an empty list") 4 [ ]
