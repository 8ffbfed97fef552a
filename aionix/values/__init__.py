"""Values: what a Nix program computes with, and the operators on them.

    thunk        laziness: thunks and `force`             equality    `==`
    strings      bytes and their contexts                 ordering    `<`
    paths        clean absolute paths                     arithmetic  `+ - * /`
    attrs        sets, `//`, the order of names           coercion    values as strings and paths
    functions    closures, builtins, `call`               deep        evaluation all through
    kinds        names of kinds, errors about them        printing    values as text
    numbers      numbers as text                          convert     between Nix and Python

Null, booleans, integers, floats and strings are Python's own, lists are tuples. Always compare
`type(v)` first: to Python, `True == 1 == 1.0`.

This room knows `bytecode` (functions say where they were written) and nothing of the compiler and
of the VM: what it needs of the fiber it runs on is `thunk.Fiber`.
"""
