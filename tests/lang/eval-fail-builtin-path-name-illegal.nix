builtins.path { path = ./tree; name = "a b"; }
