import "${builtins.filterSource (p: t: t == "directory") ./tree}"
