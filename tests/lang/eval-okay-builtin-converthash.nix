with builtins;
let to = toHashFormat: convertHash { hash = hashString "sha256" "abc"; hashAlgo = "sha256"; inherit toHashFormat; };
in [
  (to "base16") (to "nix32") (to "base64") (to "sri")
  (convertHash { hash = to "sri"; toHashFormat = "base16"; })
  (convertHash { hash = "sha256:" + to "nix32"; toHashFormat = "base16"; })
]
