with builtins;
let s = { b = 1; a = 2; "a b" = 3; B = 4; "é" = 5; };
in [ (attrNames s) (attrValues s) (attrNames { }) (attrValues { }) (attrNames { x = throw "no"; }) (length (attrValues { x = throw "no"; })) ]
