# Names of builtins are ordinary variables that may be bound again.
let true = 0; map = x: "mine"; in [ true (map 1) (let null = 1; in null) ]
