builtins.hashFile "crc32" ./files/hello.txt
