# `f x.y or z` is `f (x.y or z)`.
let f = x: [ x ]; s = { }; in f s.y or 7
