with builtins; [
  (split "," "a,b,c") (split "(a)b" "abc") (split "([ac])" "abc") (split "x" "abc") (split "" "ab")
  (split "(a)|(b)" "ab") (split "," "") (split "b+" "abbbc") (split "([[:upper:]]+)" " FOO ")
]
