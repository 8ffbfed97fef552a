builtins.floor { }
