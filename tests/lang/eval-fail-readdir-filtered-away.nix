builtins.readDir "${builtins.filterSource (p: t: t != "directory") ./tree}/deep"
