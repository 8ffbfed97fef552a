''
  quote: ''' dollar: ''${x} $${y} plain $ tab: ''\t newline: ''\n
  single ' quote and "double" and \n unchanged
''
