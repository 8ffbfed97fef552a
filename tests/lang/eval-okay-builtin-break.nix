[ (break 1) (builtins.break "x") ]
