{ a, b, c, d, e, f, g, n, s, x, y, z }:
let { body = 1; }
