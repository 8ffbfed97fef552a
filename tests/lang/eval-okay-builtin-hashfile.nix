with builtins; [ (hashFile "sha256" ./files/hello.txt) (hashFile "md5" ./files/empty) ]
