(x: y: y) (throw "dropped") "kept"
