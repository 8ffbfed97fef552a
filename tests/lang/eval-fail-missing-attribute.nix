{ name = 1; }.nane
