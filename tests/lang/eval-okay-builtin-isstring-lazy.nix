# What is inside is not looked at.
[ (builtins.isList [ (throw "no") ]) (builtins.isAttrs { a = throw "no"; }) (isNull null) ]
