builtins.path ./tree
