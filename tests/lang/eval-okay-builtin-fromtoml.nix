builtins.fromTOML ''
  title = "TOML" # a comment
  n = [ 1, 0x10, 1_000 ]
  f = 1.5e3
  yes = true
  'single quoted' = 'raw \\n'
  a.b.c = 1
  [table]
  inline = { x = 1, y = "z" }
  [[points]]
  x = 1
  [[points]]
  x = 2
''
