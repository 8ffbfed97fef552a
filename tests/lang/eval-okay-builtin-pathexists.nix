map builtins.pathExists [ ./files ./files/hello.txt ./files/link ./files/no-such-file ./files/hello.txt/below (toString ./files + "/") (toString ./files/hello.txt + "/") /. ]
