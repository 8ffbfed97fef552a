builtins.toFile "t" "see ${derivation { name = "d"; system = "s"; builder = "b";  }}"
