# The name before or after `@` is what was given: defaults are not in it.
(given@{ a ? 1, b ? 2 }: [ a b given ]) { b = 3; }
