{ size }: builtins.foldl' (sum: n: sum + n) 0 (map (n: n * 2) (builtins.genList (n: n) size))
