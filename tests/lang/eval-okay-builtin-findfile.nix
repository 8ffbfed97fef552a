with builtins;
let
  path = [ { path = toString ./no-such-place; prefix = ""; } { path = ./lib; prefix = "two"; } { path = ./.; prefix = ""; } ];
in map baseNameOf [ (findFile path "files/hello.txt") (findFile path "two/double.nix") (findFile path "two") ]
