# `let { ... }` is its attribute `body`.
let { x = 1; body = x + y; y = 2; }
