derivation { name = "d"; system = "s"; builder = "b"; outputHash = "crc32:00"; }
