fetchTarball { url = "https://example.org/a"; sha256 = "sha1-EfatjsUqKYSrqv18O1FlA3hcIHI="; }
