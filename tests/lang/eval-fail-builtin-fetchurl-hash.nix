builtins.fetchurl { url = "https://example.org/a"; sha256 = "abc"; }
