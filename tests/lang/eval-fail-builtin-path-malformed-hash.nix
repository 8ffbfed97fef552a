builtins.path { path = ./tree; sha256 = "abc"; }
