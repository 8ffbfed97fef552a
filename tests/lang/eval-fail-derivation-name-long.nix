derivation { name = builtins.concatStringsSep "" (builtins.genList (x: "x") 212); system = "s"; builder = "b"; }
