let down = n: if n == 0 then 0 else 1 + down (n - 1); in down 5000
