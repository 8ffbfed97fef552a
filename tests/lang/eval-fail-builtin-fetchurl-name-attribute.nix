builtins.fetchurl { url = "https://example.org/a"; name = "a/b"; }
