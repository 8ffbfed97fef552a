with builtins; [ (mul 6 7) (mul 2 0.5) (mul (-3) 3) (mul 0 (-5)) (mul 1.5 1.5) ]
