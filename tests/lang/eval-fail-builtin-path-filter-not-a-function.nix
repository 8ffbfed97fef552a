builtins.path { path = ./tree; filter = 1; }
