builtins.length (builtins.concatLists (builtins.genList (i: [ i (i + 1) ]) 20000))
