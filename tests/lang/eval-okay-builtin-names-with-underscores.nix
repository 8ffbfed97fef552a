# Every builtin is a variable of its own, too.
[ (__add 1 2) (__length [ 1 ]) __langVersion (__attrNames { b = 1; a = 2; }) (map toString [ 1 ]) (baseNameOf /a/b) ]
