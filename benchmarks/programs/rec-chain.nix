# Sets whose attributes build on each other, 2,000 of them in a row.
{ size }:
let
  go =
    n:
    if n == 0 then
      { value = 0; }
    else
      rec {
        before = go (n - 1);
        doubled = before.value * 2;
        value = doubled - before.value + step;
        step = if n > 10 then 1 else 2;
      };
in
builtins.foldl' (sum: n: sum + (go 2000).value) 0 (builtins.genList (n: n) size)
