builtins.path { path = "tree"; }
