# Bindings of a let see each other, whatever their order.
let
  c = a + b;
  b = a * 10;
  a = 4;
in
c
