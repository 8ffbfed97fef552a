with builtins; [ (groupBy (x: if x > 2 then "big" else "small") [ 1 4 2 3 ]) (groupBy throw [ ]) (attrNames (groupBy (x: "k") [ (throw "no") ])) ]
