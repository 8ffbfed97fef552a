derivation { name = "d"; builder = "b"; }
