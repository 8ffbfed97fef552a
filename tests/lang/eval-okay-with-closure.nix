# A function remembers the sets it was made under.
let f = with { a = 1; }; x: x + a; in with { a = 100; }; f 1
