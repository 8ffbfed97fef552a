# Names of a large scope, as in a list of packages.
{ size }:
let
  scope = builtins.listToAttrs (
    builtins.genList (n: { name = "v${toString n}"; value = n; }) 500
  );
  step =
    sum: n:
    with scope;
    sum + v1 + v20 + v300 + (if n > v100 then v499 else v0) + builtins.length [ v7 v8 v9 ];
in
builtins.foldl' step 0 (builtins.genList (n: n) size)
