derivation { name = "d"; system = "s"; builder = "b"; outputHash = "sha1-EfatjsUqKYSrqv18O1FlA3hcIHI="; outputHashAlgo = "sha256"; }
