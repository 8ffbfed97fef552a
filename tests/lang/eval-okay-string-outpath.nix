# A set with outPath or __toString may stand where a string is wanted.
let s = { __toString = self: "I am ${self.name}"; name = "s"; }; o = { outPath = "/out"; }; in [ "${s}" "${o}/x" (toString s) ]
