{ text = "naïve ☃"; length = builtins.stringLength "ü"; "ключ" = "значение"; }
