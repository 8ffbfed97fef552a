# Integers are cut towards zero.
with builtins; [ (div 7 2) (div (-7) 2) (div 7 (-2)) (div 7 2.0) (div 7.5 2) (div 0 3) ]
