builtins.attrNames (builtins.zipAttrsWith (throw "the function is evaluated first") [ { a = 1; } ])
