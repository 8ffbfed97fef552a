# A computed name is added to a recursive set, but is not a variable in it.
let name = "b"; b = "outer"; in rec { a = 1; ${name} = a + 1; c = b; }
