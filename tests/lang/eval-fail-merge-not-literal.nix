let s = { x = 1; }; in { a = s; a.y = 2; }
