[ (builtins.readDir ./files) (builtins.readDir ./files/folder) ]
