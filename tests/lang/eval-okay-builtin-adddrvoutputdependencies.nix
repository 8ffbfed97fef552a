with builtins;
let drv = "/nix/store/ay9ng9qxpgvhwwsbbh1mcvdqn2kxvnj1-x.drv";
in getContext (addDrvOutputDependencies (appendContext drv { ${drv} = { path = true; }; }))
