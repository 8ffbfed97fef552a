"""How fast Nix code is evaluated; beside C++ Nix, where `nix-instantiate` is installed.

    python benchmarks/evaluate.py [--runs N] [--lib NIXPKGS/lib] [NAME ...]

Prints medians in seconds. Ours are in process: *cold* includes parsing and compiling, *warm*
evaluates the same function once more in the same `Evaluation`. C++ Nix's are whole processes less
the time that `-E 1` takes. Rounds of both alternate, so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import gc
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import anyio

from aionix.evaluation import Evaluation
from io_backends import LocalDisk

#: Each is a function of one ignored argument, so that it can be called again.
WORKLOADS = {
    "fib": "_: let f = n: if n < 2 then n else f (n - 1) + f (n - 2); in f 23",
    "foldl": "_: builtins.foldl' (a: b: a + b) 0 (builtins.genList (x: x * 2) 100000)",
    "attrs": """_: let
        numbers = builtins.genList (x: x) 20000;
        make = f: builtins.listToAttrs (map (i: { name = "k${toString i}"; value = f i; }) numbers);
      in builtins.foldl' (sum: v: sum + v) 0 (builtins.attrValues (make (i: i) // make (i: i * 2)))""",
    "strings": """_: builtins.stringLength (builtins.concatStringsSep ","
        (map (i: "item-${toString i}=${toString (i * i)}") (builtins.genList (x: x) 20000)))""",
    "sort": """_: builtins.length (builtins.sort (a: b: a.k < b.k)
        (builtins.genList (i: { k = (i * 7919) - ((i * 7919) / 10007) * 10007; }) 10000))""",
    "rec": """_: let
        go = n: if n == 0 then { v = 0; } else rec { p = go (n - 1); v = p.v + 1; };
      in (go 5000).v""",
    "overlays": """_: let
        fix = f: let x = f x; in x;
        extend = f: base: self: let super = base self; in super // f self super;
        base = self: builtins.listToAttrs (builtins.genList (i: { name = "p${toString i}"; value = i; }) 100);
        step = n: self: super: { "p${toString n}" = super."p${toString n}" + self.p0; };
      in (fix (builtins.foldl' (acc: n: extend (step n) acc) base (builtins.genList (n: n + 1) 60))).p60""",
}
MODULES = """_: let
    lib = import %s;
    option = lib.mkOption { type = lib.types.int; default = 1; };
    one = n: { config, ... }: {
      options."o${toString n}" = option;
      config."o${toString n}" = lib.mkDefault (n + (config."o${toString (n - 1)}" or 0));
    };
  in (lib.evalModules { modules = builtins.genList one 40; }).config.o39"""


def once(work: Callable[[], object]) -> float:
    """How long `work` takes, in seconds."""
    started = perf_counter()
    work()
    return perf_counter() - started


def cplusplus(program: str, expression: str) -> float:
    command = [program, "--eval", "--strict", "-E", expression]
    return once(lambda: subprocess.run(command, check=True, capture_output=True))


async def ours(expression: str) -> tuple[float, float]:
    """Seconds of a first call, parsing and compiling included, and of a second."""
    evaluation = Evaluation.builder(LocalDisk()).build()
    started = perf_counter()
    function = (await evaluation.evaluate(expression)).unwrap()
    await function.call(None)
    cold = perf_counter() - started
    started = perf_counter()
    await function.call(None)
    return cold, perf_counter() - started


def compare(name: str, expression: str, runs: int, program: str | None) -> None:
    cold, warm, theirs = [], [], []
    for _ in range(runs):
        gc.collect()
        first, second = anyio.run(ours, expression)
        cold.append(first)
        warm.append(second)
        if program:
            theirs.append(cplusplus(program, f"({expression}) null") - cplusplus(program, "1"))
    line = f"{name:10} cold {median(cold):7.3f} s   warm {median(warm):7.3f} s"
    if theirs and (reference := median(theirs)) > 0:
        line += f"   C++ Nix {reference:7.3f} s   ratio {median(cold) / reference:6.1f} cold"
        line += f" {median(warm) / reference:6.1f} warm"
    print(line, flush=True)


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join([*WORKLOADS, "modules"]))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--lib", type=Path, help="nixpkgs' lib: adds the workload `modules`")
    parser.add_argument("--command", default="nix-instantiate", help="C++ Nix (default: %(default)s)")
    options = parser.parse_args()
    workloads = dict(WORKLOADS)
    if options.lib:
        workloads["modules"] = MODULES % options.lib.resolve()
    gc.set_threshold(50_000)  # as our command line does
    for name, expression in workloads.items():
        if not options.names or name in options.names:
            compare(name, expression, options.runs, shutil.which(options.command))


if __name__ == "__main__":
    main()
