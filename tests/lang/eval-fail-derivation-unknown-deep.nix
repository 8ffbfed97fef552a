derivation { name = "d"; system = "s"; builder = "b"; a = builtins.appendContext "x" { "/nix/store/ay9ng9qxpgvhwwsbbh1mcvdqn2kxvnj1-x.drv" = { allOutputs = true; }; }; }
