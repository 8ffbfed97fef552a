fromTOML "a = 2024-01-01"
