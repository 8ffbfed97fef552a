derivation { name = "d"; system = "${./tree}"; builder = "b"; __structuredAttrs = true; }
