builtins.readFile "${builtins.filterSource (p: t: baseNameOf p != "a") ./tree}/link"
