# `inherit` in a recursive set takes the name from outside of it.
let x = "outer"; in rec { inherit x; y = x; }
