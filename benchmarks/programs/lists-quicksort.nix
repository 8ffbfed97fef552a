{ size }:
let
  numbers = builtins.genList (n: let m = n * 7919; in m - m / 10007 * 10007) size;
  quicksort =
    list:
    if list == [ ] then
      [ ]
    else
      let
        pivot = builtins.head list;
        parts = builtins.partition (n: n < pivot) (builtins.tail list);
      in
      quicksort parts.right ++ [ pivot ] ++ quicksort parts.wrong;
  sorted = quicksort numbers;
in
[ (builtins.elemAt sorted 0) (builtins.elemAt sorted (size / 2)) (builtins.elemAt sorted (size - 1)) ]
