with builtins; [
  (listToAttrs [ { name = "b"; value = 1; } { name = "a"; value = 2; } ]) (listToAttrs [ ])
  # The first of a name counts; values stay lazy, and so do other attributes.
  (listToAttrs [ { name = "a"; value = 1; } { name = "a"; value = throw "no"; } ])
  (attrNames (listToAttrs [ { name = "x"; value = throw "no"; other = throw "no"; } ]))
]
