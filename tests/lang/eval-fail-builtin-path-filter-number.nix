builtins.path { path = ./tree; filter = p: t: 1; }
