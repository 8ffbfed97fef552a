# With a hash, the store path of what would be fetched is arithmetic.
let
  sha256 = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
  url = "https://example.org/x-1.0.tar.gz";
  file = builtins.fetchurl { inherit url sha256; };
in
[ file (builtins.getContext file) (builtins.fetchurl { inherit url sha256; name = "y"; }) (fetchTarball { inherit url sha256; })
  (fetchTarball { inherit url sha256; name = "z"; }) (derivation { name = "d"; system = "s"; builder = "b"; src = file; }).drvPath
  (import <nix/fetchurl.nix> { inherit url sha256; }).outPath (import <nix/fetchurl.nix> { inherit url; hash = sha256; unpack = true; }).drvPath ]
