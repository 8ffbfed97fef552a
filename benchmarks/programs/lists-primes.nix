# Trial division: short loops over the beginning of a list.
{ size }:
let
  isPrime =
    n:
    let
      divides = d: n / d * d == n;
      try = d: if d * d > n then true else if divides d then false else try (d + 2);
    in
    n == 2 || (!divides 2 && try 3);
  candidates = builtins.genList (n: n + 2) size;
  primes = builtins.filter isPrime candidates;
  pairs = builtins.genList (n: {
    gap = builtins.elemAt primes (n + 1) - builtins.elemAt primes n;
  }) (builtins.length primes - 1);
in
[
  (builtins.length primes)
  (builtins.length (builtins.filter (pair: pair.gap == 2) pairs))
  (builtins.all (pair: pair.gap < 200) pairs)
]
