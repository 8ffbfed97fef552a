derivation { name = "d"; system = "s"; builder = "b"; outputHash = "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"; outputHashAlgo = "sha256"; }
