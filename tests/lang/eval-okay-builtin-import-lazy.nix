# Not read before it is needed.
(x: 1) (import ./files/no-such-file.nix)
