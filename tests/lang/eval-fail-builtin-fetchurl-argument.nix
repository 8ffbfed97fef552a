builtins.fetchurl { url = "https://example.org/a"; hash = ""; }
