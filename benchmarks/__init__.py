"""How fast aionix is, beside C++ Nix and a Rust evaluator: one command measures it all.

    python -m benchmarks [--nixpkgs-lib DIR] [--nixpkgs TREE] [--drvs FILE] [--only PATTERN] [--quick]

`programs/` has what is evaluated, and `rows.py` says with which arguments. `contestants.py` knows the
evaluators, `process.py` runs a process and has it weighed (`weigh.py`), `in_process.py` is one that stays
for many calls. `race.py` lets all of them run a row in turns. `report.py` makes tables of `results.json`.

(`parse.py` is another program: how fast the parser alone is.)
"""
