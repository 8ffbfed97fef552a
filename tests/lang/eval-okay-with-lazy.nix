# The set of a `with` is looked at when a name is looked up in it, not before.
[ (with throw "never"; 1) (let a = 1; in with throw "never"; a) ]
