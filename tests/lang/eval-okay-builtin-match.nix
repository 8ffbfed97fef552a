with builtins; [
  (match "a" "a") (match "a" "ab") (match "(a)(b)?" "a") (match "([a-z]+)-([0-9.]+)" "nix-2.26") (match ".*" "") (match "a|(b)" "a")
  (match "[[:space:]]+([[:alnum:]]*)" "  x1") (match "(a*)*" "aaa") (match "a.c" "a\nc") (match "(foo|foobar)(bar)?" "foobar")
]
