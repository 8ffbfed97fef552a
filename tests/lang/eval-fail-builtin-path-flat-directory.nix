builtins.path { path = ./tree; recursive = false; }
