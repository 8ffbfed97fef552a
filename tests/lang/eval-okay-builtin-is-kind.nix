with builtins;
let kinds = [ isInt isFloat isString isPath isBool isNull isList isAttrs isFunction ];
in map (value: map (is: is value) kinds)
  [ 1 1.5 "s" /p true null [ ] { } (x: x) add (add 1) { __functor = self: x: x; } ]
