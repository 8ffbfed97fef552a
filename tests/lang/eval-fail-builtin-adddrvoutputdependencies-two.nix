builtins.addDrvOutputDependencies "${./tree}${./tree/a}"
