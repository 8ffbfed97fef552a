builtins.toJSON {
  b = [ 1 1.5 (-2) true null ]; a = "q\"\\\n\té"; "k k" = { }; e = [ ]; d = { outPath = "/out"; x = throw "no"; };
  t = { __toString = self: "s"; }; f = 1.0; big = 1.0e100;
}
