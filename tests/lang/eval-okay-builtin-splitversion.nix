map builtins.splitVersion [ "1.2.3" "2.26pre3" "1-2_3" "" "..a" "1.0alpha2" ]
