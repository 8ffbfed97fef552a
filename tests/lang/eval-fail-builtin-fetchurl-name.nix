builtins.fetchurl "https://example.org/a b"
