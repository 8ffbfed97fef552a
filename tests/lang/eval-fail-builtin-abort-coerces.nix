abort "n = ${toString 3}"
