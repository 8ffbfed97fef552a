builtins.tryEval (abort "not for tryEval")
