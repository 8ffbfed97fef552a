builtins.readFile ./files/no-such-file
