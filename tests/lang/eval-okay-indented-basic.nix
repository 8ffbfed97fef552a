''
  The indentation that all lines share is taken away:
    this line keeps two,

  and empty lines do not count.
''
