# What each kind of value is to the builder; the path tells it all.
let
  paths = attributes: let d = derivation ({ name = "d"; system = "s"; builder = "b"; } // attributes); in [ d.drvPath d.outPath ];
in
map paths [
  { }
  { a = null; b = true; c = false; d = -7; e = 1.5; f = [ ]; }
  { a = [ 1 [ "x" [ ] null ] [ [ "y" ] ] true "z" ]; }
  { __ignoreNulls = true; a = null; b = [ null ]; }
  { __ignoreNulls = false; a = null; }
  { a = { outPath = "path"; }; b = { __toString = self: "${self.name}!"; name = "n"; outPath = "no"; }; }
  { a = "tab\t line\n quote\" back\\ dollar$ return\r"; "é x" = "ü"; }
  { args = [ "-c" 1 true null [ "a" "b" ] ./tree/a ]; }
  { src = ./tree; run = ./tree/run; link = ./tree/link; }
  { passAsFile = [ "text" ]; text = "long"; allowedReferences = [ ]; preferLocalBuild = true; }
  { name = "+-._?=aZ0"; builder = ./tree/run; system = "x86_64-linux"; }
  { out = "taken"; __json = "{}"; __structuredAttrs = false; }
]
