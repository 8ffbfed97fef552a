builtins.mapAttrs (n: 1) { a = 1; }
