with builtins;
let
  drv = "/nix/store/ay9ng9qxpgvhwwsbbh1mcvdqn2kxvnj1-x.drv";
  all = appendContext "a" { ${drv} = { allOutputs = true; }; };
  out = appendContext "b" { ${drv} = { outputs = [ "out" "dev" ]; }; };
in [ (getContext all) (getContext out) (getContext (all + out)) (getContext (unsafeDiscardOutputDependency all)) (getContext (unsafeDiscardStringContext (all + out))) ]
