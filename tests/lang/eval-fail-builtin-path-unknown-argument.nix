builtins.path { path = ./tree; nam = "x"; }
