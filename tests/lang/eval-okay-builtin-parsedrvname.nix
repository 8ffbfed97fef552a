map builtins.parseDrvName [ "nix-2.26.3" "nix" "a-b-1c" "a-b" "-1" "x-1-2" "" ]
