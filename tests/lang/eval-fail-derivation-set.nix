derivation { name = "d"; system = "s"; builder = "b"; a = [ { b = 1; } ]; }
