builtins.filterSource true ./tree
