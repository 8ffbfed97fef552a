{ lib, size }:
with import lib;
let
  lines = map (n: "  Option-${toString n} = some/path/${toString (n * n)};  ") (range 1 size);
  config = concatLines lines;
in
[
  (stringLength (concatMapStringsSep "," (line: toLower (trim line)) lines))
  (length (splitString "\n" config))
  (length (filter (hasInfix "9/") lines))
  (foldl' (sum: line: sum + stringLength (escapeShellArg line)) 0 lines)
  (stringLength (concatStrings (stringToCharacters (substring 0 2000 config))))
  (foldl' (sum: n: sum + toIntBase10 (fixedWidthNumber 6 n)) 0 (range 1 (size / 2)))
  (length (filter (v: versionAtLeast v "1.5.0") (map (n: "1.${toString (mod n 10)}.${toString n}") (range 1 size))))
  (stringLength (generators.toINI { } (genAttrs [ "a" "b" "c" ] (_: genAttrs lines stringLength))))
]
