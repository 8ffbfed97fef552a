# Names from many `with`s, of which some change with every call, and one is found in another place then.
let
  outer = p: with { inherit p; o = 0; }; with { q = 10; }; with (if p == 2 then { o = 7; } else { }); with { r = 100; };
    {
      sum = n: n + p + q + r + o;
      late = map (n: [ p o n ]) [ 1 2 ];
    };
  numbers = builtins.genList (n: n) 300;
in
{
  sums = builtins.foldl' (total: n: total + (outer n).sum n) 0 numbers;
  few = map (n: (outer n).late) [ 1 2 3 ];
  again = let kept = outer 5; other = outer 2; in map (n: if n - n / 2 * 2 == 0 then kept.sum n else other.sum n) [ 1 2 3 4 5 6 ];
}
