"""The command line: see the package."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import sys
import tempfile
from pathlib import Path

import benchmarks
from aionix._version import __version__
from benchmarks.contestants import (
    Cold,
    Contestant,
    Service,
    Warm,
    find_nixeval,
    nix,
    nix_version,
    nixeval,
    nixeval_version,
)
from benchmarks.process import CHECKOUT
from benchmarks.race import REFERENCE, race
from benchmarks.report import Clock, Results, detail, summary
from benchmarks.rows import ROWS, Program

RESULTS = Path(__file__).with_name("results.json")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=benchmarks.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--nixpkgs-lib", metavar="DIR", help="lib of a nixpkgs of 2024 or later")
    parser.add_argument("--nixpkgs", metavar="TREE", help="a whole nixpkgs, of 2016 or so")
    parser.add_argument("--drvs", metavar="FILE", help="names of packages in it, the first word of each line")
    parser.add_argument("--only", metavar="PATTERN", default="", help="programs whose name matches")
    parser.add_argument("--rounds", type=int, metavar="N", help="turns of each contestant: 5 unless told")
    parser.add_argument("--quick", action="store_true", help="one round with small sizes; nothing is kept")
    parser.add_argument("--timeout", type=float, default=300, metavar="SECONDS", help="for one run: 300")
    parser.add_argument("--output", type=Path, metavar="FILE", help="instead of benchmarks/results.json")
    parser.add_argument("--cpu", action="store_true", help="seconds of the processor, not by the clock")
    parser.add_argument("--show", action="store_true", help="measure nothing, print what is kept")
    return parser.parse_args()


def contestants(machine: dict[str, object]) -> dict[str, Contestant]:
    """Those that are here, by name; notes their versions in `machine`."""
    present: dict[str, Contestant] = {"warm": Warm, "cold": Cold, "in-process": Service}
    if command := shutil.which("nix-instantiate"):
        present[REFERENCE] = nix(command)
        machine[REFERENCE] = nix_version(command)
    else:
        print("C++ Nix is left out: there is no nix-instantiate")
    if python := find_nixeval(CHECKOUT / ".benchmarks" / "nixeval"):
        present["nixeval"] = nixeval(python)
        machine["nixeval"] = nixeval_version(python)
    else:
        print("nixeval is left out: pip cannot install it")
    return present


def told(given: argparse.Namespace, directory: Path) -> dict[str, str]:
    """What programs need, by name; files that are made for them are in `directory`."""
    paths = {"lib": given.nixpkgs_lib, "nixpkgs": given.nixpkgs}
    if given.drvs:
        names = [line.split()[0] for line in Path(given.drvs).read_text().splitlines()]
        paths["names"] = directory / "names.json"
        paths["names"].write_text(json.dumps(names))
    return {name: os.path.abspath(path) for name, path in paths.items() if path}


def wanted(pattern: str) -> list[Program]:
    return [program for program in ROWS if re.search(pattern, program.name)]


def kept(output: Path) -> Results:
    """What `output` has of the programs that there are."""
    if not output.exists():
        return {"machine": {}, "rows": {}}
    results: Results = json.loads(output.read_text())
    return results


def keep(output: Path, results: Results) -> None:
    """Writes `results`, the rows in the order of the programs."""
    rows = results["rows"]
    ordered = {program.name: rows[program.name] for program in ROWS if program.name in rows}
    output.write_text(json.dumps({"machine": results["machine"], "rows": ordered}, indent=1) + "\n")


def measure(given: argparse.Namespace, output: Path | None) -> Results:
    """Runs the rows that are wanted and possible; rows of earlier runs stay in `output`."""
    results = kept(output) if output else Results(machine={}, rows={})
    results["machine"] = facts()
    present = contestants(results["machine"])
    rounds = given.rounds or (1 if given.quick else 5)
    new: Results = {"machine": results["machine"], "rows": {}}
    with tempfile.TemporaryDirectory() as directory:
        needed = told(given, Path(directory))
        for program in wanted(given.only):
            arguments = program.arguments(needed, given.quick)
            if arguments is None:
                print(f"{program.name} is left out: it needs {' and '.join(program.needs)}")
                continue
            print(f"{program.name} ...", file=sys.stderr, flush=True)
            row = race(program, arguments, present, rounds, given.timeout)
            results["rows"][program.name] = new["rows"][program.name] = row
            if output:
                keep(output, results)
    return new


def facts() -> dict[str, object]:
    return {
        "aionix": __version__,
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
    }


def main() -> None:
    given = options()
    output = given.output or (None if given.quick else RESULTS)
    results = kept(output or RESULTS) if given.show else measure(given, output)
    clock: Clock = "cpu" if given.cpu else "seconds"
    print(f"\n{detail(results, clock)}\n\n{summary(results, clock)}\n")
    print(", ".join([f"{name} {value}" for name, value in results["machine"].items()]))


if __name__ == "__main__":
    main()
