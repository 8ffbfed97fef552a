with builtins; [ (readFile ./files/hello.txt) (readFile ./files/empty) (readFile (toString ./files + "/hello.txt")) ]
