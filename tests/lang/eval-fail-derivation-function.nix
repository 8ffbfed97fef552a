derivation { name = "d"; system = "s"; builder = "b"; a = x: x; }
