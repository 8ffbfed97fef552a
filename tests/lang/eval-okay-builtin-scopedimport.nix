with builtins; [
  (scopedImport { given = 20; } ./files/needs-given.nix)
  (scopedImport { given = 1; add = a: b: "mine"; } ./files/needs-given.nix)
  (scopedImport { builtins = "shadowed"; given = throw "no"; } ./lib/double.nix 2)
]
