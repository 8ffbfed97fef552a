# A value is computed once: this would take 2^50 steps otherwise.
let double = n: if n == 0 then 1 else let x = double (n - 1); in x + x; in double 50
