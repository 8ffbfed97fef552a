{ a, b, c, d, e, f, g, n, s, x, y, z }:
[ "a\n\"b\"" "${a}" "x${a}y" ''
  indented ${a}
    more
'' ]
