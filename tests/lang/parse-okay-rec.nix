{ a, b, c, d, e, f, g, n, s, x, y, z }:
rec { a = 1; b = a; }
