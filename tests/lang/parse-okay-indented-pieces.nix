[
  ''a'''b ''${x} ''\n''
  ''a'$b''
  ''${"alone"}''
  ''plain it's $5''
]
