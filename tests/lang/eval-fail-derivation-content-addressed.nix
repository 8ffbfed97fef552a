derivation { name = "d"; system = "s"; builder = "b"; __contentAddressed = true; }
