derivationStrict { name = "d"; system = "s"; builder = "b"; outputs = 1; __structuredAttrs = true; }
