# The message goes to the trace, and the second argument is the value; it is as lazy as before.
[ (builtins.trace "seen" 1) (builtins.trace { a = 1; } 2) (builtins.isList (builtins.trace 3 [ ])) ]
