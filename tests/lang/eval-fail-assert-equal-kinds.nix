assert 1 == "1"; "unreachable"
