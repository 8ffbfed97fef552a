let x = { self = x; n = 1; }; in x
