# A comparison of several keys, one of them a string.
{ size }:
let
  record = n: {
    name = "package-${toString (n - n / 100 * 100)}";
    version = n * 31 - n * 31 / 97 * 97;
    serial = n;
  };
  before =
    a: b:
    if a.name != b.name then
      a.name < b.name
    else if a.version != b.version then
      b.version < a.version
    else
      a.serial < b.serial;
  sorted = builtins.sort before (builtins.genList record size);
in
map (n: (builtins.elemAt sorted n).serial) [ 0 1 (size / 2) (size - 1) ]
