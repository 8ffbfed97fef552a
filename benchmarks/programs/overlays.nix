# A set of 300 packages, and overlays that each replace all of them.
{ size }:
let
  base =
    self:
    builtins.listToAttrs (
      builtins.genList (n: { name = "p${toString n}"; value = { version = n; inputs = [ self.p0 ]; }; }) 301
    )
    // { p0 = { version = 1; inputs = [ ]; }; };
  overlay =
    _: self: super:
    builtins.listToAttrs (
      builtins.genList (
        m:
        let
          name = "p${toString (m + 1)}";
        in
        { inherit name; value = super.${name} // { version = super.${name}.version + self.p0.version; }; }
      ) 300
    );
  extend = base: overlay: self: let super = base self; in super // overlay self super;
  fix = f: let self = f self; in self;
  packages = fix (builtins.foldl' extend base (builtins.genList overlay size));
in
builtins.foldl' (sum: p: sum + p.version + builtins.length p.inputs) 0 (builtins.attrValues packages)
