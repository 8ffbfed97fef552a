derivation { name = "d"; system = "s"; builder = "b"; __structuredAttrs = "yes"; }
