# Paths in a let define one set, piece by piece.
let
  site.host = "example";
  site.ports.http = 80;
  site.ports.https = site.ports.http + 363;
in
site
