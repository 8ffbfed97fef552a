with builtins;
let keep = path: type: type == "directory" || match ".*\\.nix" (baseNameOf path) != null;
in
[
  (path { path = ./tree; }) (path { path = ./tree; name = "n"; }) (path { path = ./tree + "/link"; name = "followed"; })
  (path { path = ./tree/run; recursive = true; }) (path { path = ./tree/run; recursive = false; })
  (path { path = ./tree/a; recursive = false; sha256 = hashFile "sha256" ./tree/a; }) (path { path = ./tree; filter = keep; })
  (path { path = toString ./tree; filter = p: t: true; })
  (getContext (path { path = ./tree; name = "n"; })) (path { path = "${./tree}/deep"; })
  (path { path = { outPath = toString ./tree/deep; }; filter = p: t: false; })
]
