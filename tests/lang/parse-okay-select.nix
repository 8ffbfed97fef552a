{ a, b, c, d, e, f, g, n, s, x, y, z }:
[ a.b.c (a.b or c) a."x y" a.${n} a."${n}" (a ? b.c) ]
