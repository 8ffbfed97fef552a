# While `__overrides` is evaluated, names are those of the set without it; afterwards they are overridden.
let
  only = x: { a = x; };
  shown = set: builtins.removeAttrs set [ "__overrides" ];
in
map shown [
  (rec { q = { a = 2; }; a = 1; b = a; __overrides = q; })
  (rec { a = 1; b = 2; c = b; __overrides = if a == 1 then { b = 5; } else { }; })
  (rec { a = 1; b = a; c = 7; __overrides = only c; })
  (rec {
    a = 1;
    inner = { b = a; };
    __overrides = builtins.mapAttrs (name: value: { inherit name; more = let twice = value * 2; in twice + a; }) {
      x = 1;
      y = inner.b;
    };
  })
  (rec { a = 1; b = 2; __overrides = builtins.listToAttrs [ { name = "b"; value = a + 1; } ]; })
]
