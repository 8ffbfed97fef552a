[ (2 ? a.${throw "unreached"}) ({ a = 1; } ? a.b.${throw "unreached"}) ({ a.b.c = 1; } ? a.${"b"}.c) ({ a.b = 1; } ? a.${"b"}.c.d) ]
