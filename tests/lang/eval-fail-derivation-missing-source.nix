derivation { name = "d"; system = "s"; builder = "b"; src = ./no-such-file; }
