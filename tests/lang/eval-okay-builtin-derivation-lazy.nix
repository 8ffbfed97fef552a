[ (builtins.isFunction derivation) (builtins.isFunction derivationStrict) (builtins ? fetchurl) (builtins ? fetchTree) ]
