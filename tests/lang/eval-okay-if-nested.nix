let sign = n: if n < 0 then "minus" else if n > 0 then "plus" else "zero"; in map sign [ (-5) 0 7 ]
