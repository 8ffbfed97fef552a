[ (builtins.isFunction (builtins.filterSource (p: t: true))) (builtins.isFunction builtins.path) ]
