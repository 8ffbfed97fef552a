import ./files/needs-given.nix
