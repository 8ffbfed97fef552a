with builtins;
let
  filtered = filterSource (path: type: type != "symlink" && baseNameOf path != "b") ./tree;
in
[
  (filterSource (path: type: true) ./tree == "${./tree}") (filterSource (path: type: false) ./tree) filtered (getContext filtered)
  (readDir filtered) (readDir "${filtered}/deep") (pathExists "${filtered}/link") (pathExists "${filtered}/deep/b") (import filtered).value
  (filterSource (path: type: false) ./tree/a == "${./tree/a}") (filterSource (path: type: true) (toString ./tree))
]
