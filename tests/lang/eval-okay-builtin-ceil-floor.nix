with builtins;
map (x: [ (ceil x) (floor x) ]) [ 1 1.0 1.2 1.5 (-1.2) (-1.5) 0.0 (-0.5) 123456789.25 ]
