# The line of the closing quotes counts when something other than blanks is on it.
[
  ''
    a
      b''
  ''
    a
   ''
  ''
      a
    ${"b"}''
]
