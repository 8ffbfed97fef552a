(builtins.partition (x: true) [ (throw "elements are evaluated") ]).wrong
