let inherit; inherit ({ a = throw "never"; }); in "nothing was inherited"
