"""Runs the conformance judges, when they are there, and compares with the figures reached before.

    python .ci/conformance.py JUDGES PROGRAM [--record]

JUDGES is the directory that has them, PROGRAM answers nix-instantiate's flags. The language and the
expressions are judged once more with all code compiled (`AIONIX_TIER=native`), by the same figures. The exit
status is 1 if a figure is below the one in `figures.json`; `--record` raises those that are above.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

#: How the judges begin the line of a case that does not pass.
FAILURE = ("FAIL ", "  nix-2026/", "  tvix")
FIGURES = Path(__file__).with_name("figures.json")


def judge(script: Path, *arguments: str) -> str:
    """What a judge prints; it may end with 1, as some cases may fail."""
    command = [sys.executable, script, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{script.name} ended with status {done.returncode}")
    return done.stdout


def failures(output: str) -> None:
    lines = output.splitlines()
    missed = [line.split()[line.startswith("FAIL")] for line in lines if line.startswith(FAILURE)]
    print("  missed:", " ".join(missed).replace(":", "") or "none", flush=True)


def language(judges: Path, program: str) -> dict[str, int]:
    """Cases that pass, and those whose errors are of the right class besides."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as report:
        cases = str(judges / "lang/cases.tsv")
        failures(judge(judges / "run_lang.py", program, cases, "--stderr", "class", "--json", report.name))
        results = json.load(report)
    right = sum(result["ok"] for result in results)
    other = sum(result["why"].startswith("error class differs") for result in results)
    return {"language": right + other, "language, errors by class": right}


def oracle(judges: Path, program: str) -> dict[str, int]:
    output = judge(judges / "run_oracle.py", program, str(judges / "oracle/visible.tsv"))
    failures(output)
    return {"expressions": number(r"^total +(\d+)", output)}


def library(judges: Path, program: str) -> dict[str, int]:
    output = judge(judges / "nixpkgs-lib-2026/run_lib.py", program)
    failures(output)
    return {
        "nixpkgs' lib, commands": number(r"^commands\.tsv: (\d+) of", output),
        "nixpkgs' lib, modules": number(r"^modules\.tsv: (\d+) of", output),
    }


def derivations(judges: Path, program: str) -> dict[str, int]:
    """Derivation paths of the packages of one nixpkgs that are as they should be."""
    here = judges / "nixpkgs-2016"
    with tempfile.TemporaryDirectory() as unpacked:
        with tarfile.open(here / "nixpkgs-2016.tar.xz") as archive:
            archive.extractall(unpacked, filter="tar")
        (tree,) = Path(unpacked).iterdir()
        output = judge(judges / "run_drvs.py", program, str(here / "drvpaths.tsv"), str(tree))
    print(" ", output.strip().splitlines()[-1], flush=True)
    return {"derivation paths": number(r"^(\d+) of \d+ derivation paths equal", output)}


def measured(measures: Sequence[Callable[[Path, str], dict[str, int]]]) -> dict[str, int]:
    judges, program = Path(sys.argv[1]), sys.argv[2]
    reached: dict[str, int] = {}
    for measure in measures:
        reached |= measure(judges, program)
    return reached


def number(pattern: str, output: str) -> int:
    found = re.search(pattern, output, re.MULTILINE)
    return int(found[1]) if found else 0


def main() -> int:
    before: dict[str, int] = json.loads(FIGURES.read_text())
    reached = measured((derivations, language, oracle, library))
    os.environ["AIONIX_TIER"] = "native"  # the judges hand it on to the program
    compiled = measured((language, oracle))
    print(f"{'conformance':<28} {'now':>5} {'before':>7}")
    for name, count in [*reached.items(), *compiled.items()]:
        print(f"{name:<28} {count:>5} {before[name]:>7}{'   BELOW' if count < before[name] else ''}")
    if "--record" in sys.argv:
        best = {name: max(count, before[name]) for name, count in reached.items()}
        FIGURES.write_text(json.dumps(best, indent=2) + "\n")
    lowest = {name: min(count, compiled.get(name, count)) for name, count in reached.items()}
    return int(any(count < before[name] for name, count in lowest.items()))


if __name__ == "__main__":
    sys.exit(main())
