with builtins;
let
  text = toFile "t" "x"; plain = unsafeDiscardStringContext text; tree = unsafeDiscardStringContext "${./tree}";
in
[ (storePath text) (storePath plain == plain) (getContext (storePath plain)) (getContext (storePath "${tree}/deep/b")) (storePath "${tree}/deep/../a") ]
