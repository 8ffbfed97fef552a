{ a, b, c, d, e, f, g, n, s, x, y, z }:
1 + 2 * 3 - 4 / 5 == 6 && a || b -> !c
