builtins.elem 2 [ 1 (throw "looked at") ]
