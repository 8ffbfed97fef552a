builtins.path { path = ./tree; name = 1; }
