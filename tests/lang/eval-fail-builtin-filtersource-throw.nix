builtins.filterSource (p: t: throw "of ${baseNameOf p}") ./tree
