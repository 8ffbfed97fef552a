builtins.toFile "${./tree}" ""
