"""The programs: `aionix` for people, `aionix-instantiate` for scripts that call nix-instantiate.

    options.py      what both can be told, as data (and NIX_PATH)
    job.py          inputs -> text: evaluate, select, call with --arg, print
    selection.py    attribute paths, functions called with --arg
    derivations.py  the derivations in a value
    subjects.py     what is asked about derivations -> text
    terminal.py     exit codes, streams, colour
    flags.py        click options that commands share
    commands.py     aionix             (click)
    derivation.py   aionix derivation
    instantiate.py  aionix-instantiate (nix-instantiate's own flags)

A run takes a few hundred milliseconds, so what a command does not need it does not import.
"""
