with builtins; [ (toPath "/a/../b//c/.") (toPath /x) (typeOf (toPath "/a")) ]
