with builtins; [ (head [ 1 2 ]) (tail [ 1 2 3 ]) (tail [ 1 ]) (head [ 1 (throw "no") ]) (length (tail [ (throw "no") 2 ])) ]
