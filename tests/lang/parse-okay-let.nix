{ a, b, c, d, e, f, g, n, s, x, y, z }:
let b = 1; a = b; inherit x; in a
