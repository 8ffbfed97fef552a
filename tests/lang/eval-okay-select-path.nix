let s = { a.b.c = 1; "x y".z = 2; }; n = "b"; in [ s.a.b.c s."x y".z s.a.${n}.c s."a"."${n}" ]
