# One `with` in another: a name is in the inner one, in the outer one, or bound by a function.
{ size }:
let
  lib = {
    add = a: b: a + b;
    double = n: n * 2;
    limits = { low = 10; high = 1000; };
  };
  entry =
    n:
    with lib;
    let
      inner = { value = double n; step = add 3; };
    in
    with limits;
    with inner;
    if value < low then low else if value > high then step high else step value;
in
builtins.foldl' (sum: n: sum + entry n) 0 (builtins.genList (n: n) size)
