builtins.toFile "t" 1
