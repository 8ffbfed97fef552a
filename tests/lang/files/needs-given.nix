[ (builtins.add given 1) ]
