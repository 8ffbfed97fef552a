with builtins; [
  (map baseNameOf [ /a/b "/a/b" "a/b/" "a" "" "/" "a//" ]) (map dirOf [ /a/b /a /. "/a/b" "/a" "a/b" "a" "" "/a/" ])
]
