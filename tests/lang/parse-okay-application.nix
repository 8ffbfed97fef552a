{ a, b, c, d, e, f, g, n, s, x, y, z }:
f x (g y) { a = 1; }
