builtins.trace (throw "the message is evaluated") 1
