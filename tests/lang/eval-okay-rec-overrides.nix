# The old `__overrides` wins over the bindings beside it.
(rec { a = 1; b = a; __overrides = { a = 2; }; }) // { __overrides = null; }
