map builtins.readFileType [ ./files ./files/hello.txt ./files/link ]
