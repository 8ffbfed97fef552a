assert map == map; "unreachable"
