let k = "a"; inherit ({ a = 1; }) ${k}; in 1
