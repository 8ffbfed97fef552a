builtins.fetchurl { url = "https://example.org/a~b"; }
