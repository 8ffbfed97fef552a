builtins.filterSource (p: t: true) ./no-such-file
