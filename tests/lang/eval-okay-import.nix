let lib = import ./lib/double.nix; in [ (lib 21) (import ./lib 1) ]
