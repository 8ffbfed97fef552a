builtins.findFile [ { path = ./lib; prefix = "x"; } ] "y"
