[ (builtins.length [ ]) (builtins.length [ 1 (throw "not looked at") ]) ]
