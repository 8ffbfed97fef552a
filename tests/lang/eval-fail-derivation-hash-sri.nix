derivation { name = "d"; system = "s"; builder = "b"; outputHash = "sha256-x"; }
