derivation { name = "d"; system = "s"; builder = 1; __structuredAttrs = true; }
