{ a, b, c, d, e, f, g, n, s, x, y, z }:
http://example.org/x
