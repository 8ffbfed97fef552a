{ a, b, c, d, e, f, g, n, s, x, y, z }:
if a then assert b; c else with d; e
