with builtins;
let
  below = { key, ... }: if key == 0 then [ ] else [ { key = key - 1; from = key; } ];
in [
  (genericClosure { startSet = [ { key = 3; } ]; operator = below; })
  (genericClosure { startSet = [ ]; operator = throw "not called"; })
  # The first with a key stays.
  (map (x: x.n) (genericClosure { startSet = [ { key = 1; n = "a"; } { key = 1; n = "b"; } ]; operator = x: [ ]; }))
  (map (x: x.key) (genericClosure { startSet = [ { key = "a"; } ]; operator = x: [ { key = "b"; } { key = "a"; } ]; }))
]
