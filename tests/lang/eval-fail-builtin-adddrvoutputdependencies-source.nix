builtins.addDrvOutputDependencies "${./tree}"
