with builtins; [ (concatStringsSep ", " [ "a" "b" "c" ]) (concatStringsSep "," [ ]) (concatStringsSep "," [ "a" ]) (concatStringsSep "" [ "a" "b" ]) (concatStringsSep "," [ { outPath = "p"; } ]) ]
