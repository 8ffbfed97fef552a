{ a, b, c, d, e, f, g, n, s, x, y, z }:
[ (x: x) (x: y: x y) ({ a }: a) ({ a ? 1, ... }: a) ({ ... }@all: all) (all@{ b, a }: all) ({ }: 1) ]
