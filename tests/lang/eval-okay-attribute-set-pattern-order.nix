# Names in a pattern may refer to each other only through defaults.
let f = { x, y ? x.z, ... }: y; in f { x.z = "z of x"; }
