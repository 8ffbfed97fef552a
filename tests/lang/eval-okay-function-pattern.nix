let f = { a, b ? a * 2, ... }@all: [ a b (all.c or "none") ]; in [ (f { a = 1; }) (f { a = 1; b = 5; c = 9; }) ]
