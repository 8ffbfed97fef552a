derivation { name = "x${./tree}"; system = "s"; builder = "b"; }
