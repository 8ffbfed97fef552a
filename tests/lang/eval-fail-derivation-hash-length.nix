derivation { name = "d"; system = "s"; builder = "b"; outputHash = "abc"; outputHashAlgo = "sha256"; }
