builtins.readDir ./files/no-such-directory
