with builtins; [
  (intersectAttrs { a = 1; b = 2; } { b = 20; c = 30; }) (intersectAttrs { } { a = 1; })
  # The values are those of the second set, and stay lazy.
  (intersectAttrs { a = throw "no"; } { a = 1; b = throw "no"; })
]
