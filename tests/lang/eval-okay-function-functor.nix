let counter = { start = 10; __functor = self: n: self.start + n; }; in [ (counter 1) (map counter [ 1 2 ]) ((counter // { start = 0; }) 5) ]
