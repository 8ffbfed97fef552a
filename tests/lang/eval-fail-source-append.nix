./tree + "${./tree}"
