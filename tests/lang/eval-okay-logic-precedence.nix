[ (true || false && false) (!false && true) (false && true -> false) (1 == 1 && 2 != 3 || false) ]
