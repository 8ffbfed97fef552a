{ value = import ./deep/c.nix; }
