derivation { name = "d"; system = "s"; builder = "b"; __impure = true; }
