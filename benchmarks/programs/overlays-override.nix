# Packages that can be called again with other arguments, in a scope that gives them theirs.
{ size }:
let
  overridable =
    f: arguments: f arguments // { override = changed: overridable f (arguments // changed); };
  callPackage =
    self: f: more:
    overridable f (builtins.intersectAttrs (builtins.functionArgs f) self // more);
  recipe = n: { zlib, openssl, debug ? false, level ? n, ... }: {
    name = "lib${toString n}" + (if debug then "-debug" else "");
    cost = zlib.cost + openssl.cost + level;
  };
  scope =
    self:
    {
      zlib = { cost = 1; };
      openssl = callPackage self ({ zlib }: { cost = zlib.cost + 2; }) { };
    }
    // builtins.listToAttrs (
      builtins.genList (n: {
        name = "lib${toString n}";
        value = callPackage self (recipe n) { };
      }) size
    );
  self = scope self;
  names = builtins.genList (n: "lib${toString n}") size;
  debug = map (name: (self.${name}.override { debug = true; }).override { level = 3; }) names;
in
builtins.foldl' (sum: p: sum + p.cost + builtins.stringLength p.name) 0 (map (name: self.${name}) names ++ debug)
