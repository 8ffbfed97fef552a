let
  x = 1;
  source = { y = 2; z = 3; };
in
let
  inherit x;
  inherit (source) y z;
in
[ x y z ]
