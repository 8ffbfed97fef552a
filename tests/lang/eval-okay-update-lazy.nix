({ a = throw "replaced"; } // { a = 1; b = throw "never asked for"; }).a
