let unused = throw "never asked for"; used = 1; in used
