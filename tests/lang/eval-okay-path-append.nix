[ (toString (/etc + "/./x/../y")) ("s" + "/x") (toString /a + "/b") (/. + "a") ]
