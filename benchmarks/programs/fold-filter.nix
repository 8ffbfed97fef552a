# A pipeline: every list is there before the next one begins.
{ size }:
let
  remainder = a: b: a - (a / b) * b;
  numbers = builtins.concatMap (n: [ n (n * n) ]) (builtins.genList (n: n + 1) size);
  wanted = builtins.filter (n: remainder n 3 == 1) numbers;
in
builtins.foldl' (largest: n: if n > largest then n else largest) 0 wanted
