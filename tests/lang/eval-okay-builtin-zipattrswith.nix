with builtins; [
  (zipAttrsWith (name: values: { inherit name values; }) [ { a = 1; } { a = 2; b = 3; } { } ])
  (zipAttrsWith throw [ ]) (zipAttrsWith (n: vs: length vs) [ { a = throw "no"; } ])
]
