# A name that is null leaves the attribute out.
let skip = null; in { ${skip} = throw "left out"; ${if true then "in" else null} = 1; }
