with builtins; [ (removeAttrs { a = 1; b = 2; c = 3; } [ "a" "c" "d" ]) (removeAttrs { a = 1; } [ ]) (attrNames (removeAttrs { a = throw "no"; b = 1; } [ "b" ])) ]
