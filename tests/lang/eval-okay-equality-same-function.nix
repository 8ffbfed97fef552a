# A function equals itself where one and the same element is compared with itself, whatever was
# evaluated, called or written before.
let
  id = x: x;
  earlier = [ f ];
  f = x: x;
  later = [ f ];
  set = {
    f = x: x;
    n = 1;
  };
  other = set // {
    n = 2;
  };
  without = s: removeAttrs s [ "n" ];
  self = n: if n == 0 then [ self ] else self (n - 1);
  mapped = builtins.mapAttrs (_: v: v) (without set);
  parameter = g: let l = [ g ]; in if builtins.length l == g 1 then l == [ g ] else null;
in
{
  written = [
    (earlier == later)
    (earlier == [ f ])
    (builtins.elem f earlier)
  ];
  called = builtins.seq other.n (builtins.seq (set.f 1) (without set == without other));
  recursive = self 0 == self 2;
  argument = parameter (id (y: y));
  default = ({ a ? [ b ], b ? x: x }: a == [ b ]) { };
  computed = [
    (earlier == [ (id f) ])
    (builtins.seq mapped.f (builtins.seq set.f (mapped == without set)))
  ];
}
