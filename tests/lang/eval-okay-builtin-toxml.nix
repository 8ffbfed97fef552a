builtins.toXML { a = [ 1 1.5 true null ]; "b<" = "&\"<>\n"; f = { x, y ? 1, ... }@args: x; g = x: x; p = /a/b; }
