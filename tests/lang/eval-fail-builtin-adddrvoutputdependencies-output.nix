builtins.addDrvOutputDependencies "${derivation { name = "d"; system = "s"; builder = "b";  }}"
