derivation { name = "d"; system = "s"; builder = "b"; args = "x"; }
