let f = x: x + 1; g = x: y: x * y; in [ (f 1 * 10) (g 2 3 + f 4) (-f 1) ]
