derivation { name = "d"; system = "s"; builder = "b"; outputHash = "gggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg"; outputHashAlgo = "sha256"; }
