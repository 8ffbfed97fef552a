let s = { x = 1; }; l = [ s s ]; in { inherit s l; again = l; }
