# A generator of random numbers, and how its numbers are spread.
{ size }:
let
  next = seed: let n = seed * 1103515245 + 12345; in n - (n / 2147483648) * 2147483648;
  step =
    { seed, low, high }:
    _:
    let
      after = next seed;
      isLow = after < 1073741824;
      moved = {
        seed = after;
        low = if isLow then low + 1 else low;
        high = if isLow then high else high + 1;
      };
    in
    builtins.seq moved.low (builtins.seq moved.high moved);
in
builtins.foldl' step { seed = 42; low = 0; high = 0; } (builtins.genList (n: n) size)
