[ (map (throw "not needed") [ ]) ]
