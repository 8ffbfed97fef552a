with builtins;
let
  path = "/nix/store/ay9ng9qxpgvhwwsbbh1mcvdqn2kxvnj1-x";
  s = appendContext "text" { ${path} = { path = true; }; };
in [
  (hasContext "plain") (hasContext s) (getContext "plain") (getContext s) (hasContext (s + "more")) (hasContext (substring 0 0 s))
  (hasContext (unsafeDiscardStringContext s)) (s == "text") (getContext (unsafeDiscardOutputDependency s))
  (hasContext (toJSON { a = s; })) (hasContext (replaceStrings [ "t" ] [ "T" ] s)) (hasContext (head (match "(.*)" s)))
]
