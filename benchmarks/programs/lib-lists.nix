{ lib, size }:
with import lib;
let
  numbers = range 1 size;
  words = map (n: "w${toString (mod (n * 17) 101)}") numbers;
in
[
  (foldr (n: sum: n + sum) 0 (take 2000 numbers))
  (length (unique words))
  (length (flatten (map (n: [ n [ (n + 1) [ (n + 2) ] ] ]) numbers)))
  (foldl' (sum: pair: sum + pair.fst * pair.snd) 0 (zipLists numbers (reverseList numbers)))
  (length (concatLists (imap1 (n: word: optional (hasPrefix "w1" word) n) words)))
  (last (sort lessThan words))
  (findFirst (n: n * n > size) null numbers)
  (count (n: any (d: mod n d == 0) [ 7 11 13 ]) numbers)
]
