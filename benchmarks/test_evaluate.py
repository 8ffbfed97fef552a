"""How fast Nix code is evaluated; beside C++ Nix, where `nix-instantiate` is installed.

    python -m pytest benchmarks                               # every workload
    python -m pytest benchmarks -k 'fib or modules'           # some
    NIXPKGS_LIB=path/to/nixpkgs/lib python -m pytest benchmarks   # and its module system

One table for each workload; in brackets stands how many times slower a row is than the fastest.
*cold* parses, compiles and evaluates; *warm* calls the same function once more in the same
`Evaluation`; C++ Nix is a whole process, of which the table `start` shows what its start takes.
Rows of one table are measured one after the other: on a busy machine, run it twice.
"""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator

import anyio
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from aionix.evaluation import Evaluation
from aionix.value import NixValue
from io_backends import LocalDisk

#: Each is a function of one ignored argument, so that it can be called again.
WORKLOADS = {
    "start": "_: 1",
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
if NIXPKGS_LIB := os.environ.get("NIXPKGS_LIB"):
    WORKLOADS["modules"] = f"""_: let
        lib = import {os.path.abspath(NIXPKGS_LIB)};
        option = lib.mkOption {{ type = lib.types.int; default = 1; }};
        one = n: {{ config, ... }}: {{
          options."o${{toString n}}" = option;
          config."o${{toString n}}" = lib.mkDefault (n + (config."o${{toString (n - 1)}}" or 0));
        }};
      in (lib.evalModules {{ modules = builtins.genList one 40; }}).config.o39"""


@pytest.fixture(autouse=True)
def collector_as_on_the_command_line() -> Iterator[None]:
    usual = gc.get_threshold()
    gc.set_threshold(50_000)
    yield
    gc.set_threshold(*usual)


@pytest.fixture(params=WORKLOADS)
def workload(request: pytest.FixtureRequest, benchmark: BenchmarkFixture) -> str:
    benchmark.group = request.param
    return WORKLOADS[request.param]


async def fresh(expression: str) -> NixValue:
    evaluation = Evaluation.builder(LocalDisk()).build()
    return (await evaluation.evaluate(expression)).unwrap()


async def called(function: NixValue) -> None:
    await function.call(None)


def measured(benchmark: BenchmarkFixture, work: Callable[[], object]) -> None:
    benchmark.pedantic(work, rounds=5, warmup_rounds=1)


def test_cold(benchmark: BenchmarkFixture, workload: str) -> None:
    async def work() -> None:
        await called(await fresh(workload))

    measured(benchmark, lambda: anyio.run(work))


def test_warm(benchmark: BenchmarkFixture, workload: str) -> None:
    function = anyio.run(fresh, workload)
    measured(benchmark, lambda: anyio.run(called, function))


@pytest.mark.skipif(shutil.which("nix-instantiate") is None, reason="C++ Nix is not installed")
def test_cplusplus(benchmark: BenchmarkFixture, workload: str) -> None:
    command = ["nix-instantiate", "--eval", "--strict", "-E", f"({workload}) null"]
    measured(benchmark, lambda: subprocess.run(command, check=True, capture_output=True))
