builtins.sub (builtins.sub (-9223372036854775807) 1) 1
