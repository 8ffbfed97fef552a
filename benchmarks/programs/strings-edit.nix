# Short strings, cut and replaced.
{ size }:
let
  upper = builtins.replaceStrings [ "a" "e" "i" "o" "u" ] [ "A" "E" "I" "O" "U" ];
  edited =
    n:
    let
      text = "value of option number ${toString n}";
      length = builtins.stringLength text;
    in
    upper (builtins.substring 9 (length - 9) text) + (if length > 25 then "!" else "?");
in
builtins.foldl' (sum: text: sum + builtins.stringLength text) 0 (builtins.genList (n: edited n) size)
