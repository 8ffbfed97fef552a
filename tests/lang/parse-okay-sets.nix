{ a, b, c, d, e, f, g, n, s, x, y, z }:
{ b = 1; a = 2; "x y" = 3; ${n} = 4; c.d.e = 5; c.f = 6; inherit x; inherit (s) y z; }
