# Reading what was copied to the store gives what was copied.
with builtins;
let tree = "${./tree}"; in
[ tree "${./tree/a}" "${./tree/run}" "${./tree/link}" "${./tree/deep}" (readFile "${tree}/link") (readDir tree) (import tree).value
  (import "${tree}/deep/c.nix") (readFile "${./tree/a}") (readFileType "${tree}/link") (hashFile "sha256" "${tree}/deep/b") (pathExists "${tree}/nothing")
  (toJSON ./tree/a) (toString ./tree/a == "${./tree/a}") ("${tree}/deep" == tree + "/deep") (getContext "${tree}/a") (hasContext "${toString ./tree}") ]
