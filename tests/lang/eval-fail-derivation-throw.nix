derivation { name = "d"; system = "s"; builder = "b"; a = throw "no"; }
