with builtins; [ (concatMap (x: [ x (x * 10) ]) [ 1 2 ]) (concatMap (x: [ ]) [ 1 2 ]) (concatMap throw [ ]) ]
