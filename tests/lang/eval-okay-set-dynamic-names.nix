let k = "key"; in { ${k} = 1; "${k}-2" = 2; "a b".${k} = 3; ${k + "-3"}.deep = 4; }
