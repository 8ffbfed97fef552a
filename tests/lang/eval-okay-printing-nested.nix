{ f = x: x; p = map; q = builtins.add 1; n = null; e = { }; l = [ ]; s = "a\"b\${c}\n"; d = -1.5; b = false; }
