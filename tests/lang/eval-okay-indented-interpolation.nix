let v = "x\n  y"; in ''
  before ${v} after
    ${toString 1}
  ${"end"}
''
