let
  fix = f: let x = f x; in x;
  extends = over: base: self: let prev = base self; in prev // over self prev;
  base = self: { name = "base"; greeting = "hello ${self.name}"; };
in
fix (extends (self: prev: { name = "over ${prev.name}"; }) base)
