derivation { name = "d"; system = "s"; builder = "b"; outputHash = "0000000000000000000000000000000000000000000000000000000000000000"; outputHashAlgo = "sha256"; outputs = [ "out" "dev" ]; }
