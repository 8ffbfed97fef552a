let twice = f: x: f (f x); in [ (twice (x: x * 3) 2) ((x: y: x - y) 5 3) ]
