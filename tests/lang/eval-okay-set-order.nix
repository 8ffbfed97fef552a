# Names are sorted by their bytes.
builtins.attrNames { b = 1; a = 2; B = 3; "é" = 4; "~" = 5; "aa" = 6; _ = 7; }
