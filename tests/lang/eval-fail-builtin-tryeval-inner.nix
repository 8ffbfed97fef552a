(builtins.tryEval { a = throw "later"; }).value.a
