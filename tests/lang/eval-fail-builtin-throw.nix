builtins.throw "this is why"
