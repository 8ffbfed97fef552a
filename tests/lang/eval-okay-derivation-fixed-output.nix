let
  fixed = attributes: let d = derivation ({ name = "f"; system = "s"; builder = "b"; } // attributes); in [ d.drvPath d.outPath ];
  hashes = {
    md5 = builtins.hashString "md5" "x";
    sha1 = builtins.hashString "sha1" "x";
    sha256 = builtins.hashString "sha256" "x";
    sha512 = builtins.hashString "sha512" "x";
  };
  spelled = outputHashAlgo: toHashFormat: builtins.convertHash { hash = hashes.${outputHashAlgo}; hashAlgo = outputHashAlgo; inherit toHashFormat; };
  modes = map (outputHashMode: { inherit outputHashMode; }) [ "flat" "recursive" "nar" ];
  each = f: builtins.concatMap f (builtins.attrNames hashes);
  one = (fixed { outputHash = hashes.md5; outputHashAlgo = "md5"; });
in
[
  (each (algorithm: map (mode: fixed (mode // { outputHash = hashes.${algorithm}; outputHashAlgo = algorithm; })) modes))
  (each (algorithm: map (format: fixed { outputHash = spelled algorithm format; outputHashAlgo = algorithm; }) [ "base16" "nix32" "base64" "sri" ]))
  (fixed { outputHash = "sha1:${hashes.sha1}"; }) (fixed { outputHash = spelled "sha512" "sri"; outputHashAlgo = null; })
  (fixed { outputHash = spelled "sha512" "sri"; outputHashAlgo = "no such thing"; }) (fixed { outputHash = ""; outputHashAlgo = "sha256"; })
  # What is built from it depends on what it is, not on how it is made.
  (map (url: (derivation { name = "u"; system = "s"; builder = "b"; src = derivation {
    name = "f"; system = "s"; builder = url; outputHash = hashes.sha256; outputHashAlgo = "sha256"; }; }).outPath) [ "here" "there" ])
]
