builtins.appendContext "a" { "/nix/store/ay9ng9qxpgvhwwsbbh1mcvdqn2kxvnj1-x" = { allOutputs = true; }; }
