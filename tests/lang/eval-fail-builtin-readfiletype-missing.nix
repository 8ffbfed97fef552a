builtins.readFileType ./files/no-such-file
