{ a, b, c, d, e, f, g, n, s, x, y, z }:
[ (a < b) (a <= b) (a > b) (a >= b) (a != b) ]
