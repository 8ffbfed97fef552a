{ size }:
let
  records = builtins.genList (n: rec { key = n * 7919 - n * 7919 / 10007 * 10007; value = n; }) size;
  sorted = builtins.sort (a: b: a.key < b.key) records;
in
map (n: (builtins.elemAt sorted n).value) [ 0 1 (size / 2) (size - 1) ]
