with builtins; [
  (replaceStrings [ "a" ] [ "b" ] "banana") (replaceStrings [ "oo" "a" ] [ "a" "i" ] "foobar") (replaceStrings [ ] [ ] "abc")
  # An empty pattern matches everywhere; the first pattern that matches is taken.
  (replaceStrings [ "" ] [ "-" ] "abc") (replaceStrings [ "" "b" ] [ "-" "B" ] "abc") (replaceStrings [ "b" "" ] [ "B" "-" ] "abc")
  (replaceStrings [ "ab" "abc" ] [ "1" "2" ] "abc")
  # Replacements that are not used are not evaluated.
  (replaceStrings [ "x" "a" ] [ (throw "no") "y" ] "abc")
  (replaceStrings [ "\n" ] [ "\\n" ] "a\nb")
]
