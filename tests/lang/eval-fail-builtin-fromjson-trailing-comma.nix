builtins.fromJSON ''[1,]''
