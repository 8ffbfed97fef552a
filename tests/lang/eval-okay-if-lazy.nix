if true then 1 else throw "the other branch"
