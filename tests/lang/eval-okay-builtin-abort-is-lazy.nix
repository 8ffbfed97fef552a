(x: 1) (abort "never reached")
