with builtins; [ (addErrorContext "unused" 1) (addErrorContext (throw "not needed") 2) (tryEval (addErrorContext "c" (throw "e"))).success ]
