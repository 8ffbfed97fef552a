let a = derivation { name = "d"; system = "s"; builder = "b"; dep = b; }; b = derivation { name = "d"; system = "s"; builder = "b"; dep = a; }; in a.outPath
