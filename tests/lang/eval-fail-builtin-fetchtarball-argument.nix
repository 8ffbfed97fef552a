fetchTarball { url = "https://example.org/a"; rev = ""; }
