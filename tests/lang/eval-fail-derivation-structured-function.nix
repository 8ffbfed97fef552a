derivation { name = "d"; system = "s"; builder = "b"; __structuredAttrs = true; a.b = [ (x: x) ]; }
