builtins.hashFile "sha256" ./files/no-such-file
