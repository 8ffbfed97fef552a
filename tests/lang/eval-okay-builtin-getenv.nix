[ (builtins.getEnv "A_VARIABLE_THAT_NOBODY_SETS") ]
