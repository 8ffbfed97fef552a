derivation { name = "d"; system = "s"; }
