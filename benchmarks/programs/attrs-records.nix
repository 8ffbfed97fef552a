# Many small sets, as a list of packages is.
{ size }:
let
  package = n: {
    name = "package-${toString n}";
    version = n / 7;
    meta = {
      license = if n / 2 * 2 == n then "mit" else "gpl";
    } // (if n / 3 * 3 == n then { broken = true; } else { });
  };
  packages = builtins.genList package size;
  working = builtins.filter (p: !(p.meta.broken or false)) packages;
  updated = map (p: p // { version = p.version + 1; meta = p.meta // { maintained = true; }; }) working;
  free = builtins.filter (p: p.meta ? license && p.meta.license == "mit" && p.meta.maintained) updated;
in
{
  count = builtins.length free;
  versions = builtins.foldl' (sum: n: sum + n) 0 (builtins.catAttrs "version" free);
  names = builtins.length (builtins.attrNames (builtins.groupBy (p: p.name) updated));
}
