builtins.sub 1 "1"
