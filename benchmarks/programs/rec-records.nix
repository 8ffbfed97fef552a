# Many small recursive sets, and a closure in each.
{ size }:
let
  point = x: y: rec {
    inherit x y;
    squared = x * x + y * y;
    move = dx: dy: point (x + dx) (y + dy);
    mirrored = { x = y; y = x; sum = squared; };
    describe = if squared > 1000 then far else near;
    far = "far: ${toString squared}";
    near = "near";
  };
  walk =
    length: n:
    let
      p = (point n 1).move 2 3;
    in
    length + p.mirrored.y + builtins.stringLength p.describe;
in
builtins.foldl' walk 0 (builtins.genList (n: n) size)
