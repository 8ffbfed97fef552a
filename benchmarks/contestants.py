"""The evaluators, each as something that can be asked to evaluate a program once more."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from benchmarks.process import CHECKOUT, Failed, Measured, environment, run
from benchmarks.rows import ATTRS, CALLS, FOLD, Arguments, Program

#: `aionix-instantiate`, of the interpreter that runs this, as its entry point does it.
INSTANTIATE = [sys.executable, "-c", "from aionix.cli.instantiate import main; main()"]
EVAL = ["--eval", "--strict", "--json"]
ONE = [*EVAL, "-E", "1"]
#: Runs until the code cache has all that it will ever have.
FILLING = 4
#: C++ Nix asks for a store; this one is nowhere.
NO_STORE = ["--readonly-mode", "--store", "dummy://"]
LOADS = "import json, sys, nixeval; print(json.dumps(nixeval.loads(sys.argv[1])))"


class Entrant(Protocol):
    """A contestant in one row."""

    def run(self, timeout: float) -> Measured:
        """Evaluates the program; its output is JSON. Raises Failed."""

    def start(self, timeout: float) -> Measured:
        """What evaluating `1` takes, which is no part of the row. Raises Failed."""

    def close(self) -> None:
        """It is not needed any more."""


#: Makes ready to evaluate a program with arguments; None where that is not its discipline.
Contestant = Callable[[Program, Arguments], Entrant | None]


def flags(program: Program, arguments: Arguments) -> list[str]:
    """Those of nix-instantiate."""
    told = []
    for name, value in arguments.items():
        told += ["--argstr" if isinstance(value, str) else "--arg", name, str(value)]
    return [*EVAL, str(program.path), *told]


class Command:
    """Starts a process for each run: `command`, and then `evaluate` or, for the start alone, `one`."""

    def __init__(
        self,
        command: Sequence[str],
        evaluate: Sequence[str],
        one: Sequence[str],
        more: Mapping[str, str],
    ) -> None:
        self._run = [*command, *evaluate]
        self._start = [*command, *one]
        self._environment = environment(more)

    def run(self, timeout: float) -> Measured:
        return run(self._run, self._environment, timeout)

    def start(self, timeout: float) -> Measured:
        return run(self._start, self._environment, timeout)

    def close(self) -> None:
        pass


class Aionix(Command):
    """`aionix-instantiate`, with a code cache of its own."""

    def __init__(self, program: Program, arguments: Arguments) -> None:
        self._cache = tempfile.mkdtemp()
        more = {"AIONIX_CODE_CACHE": self._cache, "PYTHONPATH": str(CHECKOUT)}
        super().__init__(INSTANTIATE, flags(program, arguments), ONE, more)

    def close(self) -> None:
        shutil.rmtree(self._cache)


class Cold(Aionix):
    """The cache is empty before each run."""

    def run(self, timeout: float) -> Measured:
        shutil.rmtree(self._cache)
        os.mkdir(self._cache, 0o700)
        return super().run(timeout)


class Warm(Aionix):
    """The cache is filled by runs that are not measured: the first keeps bytecode, the others Python code of
    what runs, as far as they have time for it."""

    _filled = 0

    def run(self, timeout: float) -> Measured:
        while self._filled < FILLING:
            super().run(timeout)
            self._filled += 1
        return super().run(timeout)


class Service:
    """A process of `in_process.py`: the second call of the program's function, and those after it."""

    def __init__(self, program: Program, arguments: Arguments) -> None:
        script = str(CHECKOUT / "benchmarks" / "in_process.py")
        self._command = [sys.executable, script, str(program.path), json.dumps(arguments)]
        self._process: subprocess.Popen[bytes] | None = None

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=environment({"PYTHONPATH": str(CHECKOUT)}),
        )

    def run(self, timeout: float) -> Measured:
        # Not before: it begins with a call of its own, which is not to disturb another's run.
        process = self._process = self._process or self._started()
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"again\n")
        if not select.select([process.stdout], [], [], timeout)[0]:
            raise Failed(f"over {timeout:g} s")
        answer = process.stdout.readline()
        if not answer:
            raise Failed(f"exit status {process.wait()}")
        seconds, cpu, value = json.loads(answer)
        return Measured(seconds, cpu, value)

    def start(self, timeout: float) -> Measured:
        return Measured(0, 0, 1)

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


def nix(command: str) -> Contestant:
    """C++ Nix."""
    return lambda program, arguments: Command([command, *NO_STORE], flags(program, arguments), ONE, {})


def nixeval(python: str) -> Contestant:
    """An evaluator in Rust (snix) as a Python package. It is given texts, not files, and not every
    kind of them: it takes 15 s to sort 2,000 records."""

    def enter(program: Program, arguments: Arguments) -> Entrant | None:
        if program.kind not in (CALLS, FOLD, ATTRS):
            return None
        text = f"({program.path.read_text()}) {{ size = {arguments['size']}; }}"
        return Command([python, "-c", LOADS], [text], ["1"], {})

    return enter


def nix_version(command: str) -> str:
    """Such as 2.8.0."""
    text = subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout
    return text.split()[-1]


def nixeval_version(python: str) -> str:
    command = [python, "-c", "import importlib.metadata; print(importlib.metadata.version('nixeval'))"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def find_nixeval(directory: Path) -> str | None:
    """A Python that has nixeval, in a virtual environment of its own that is made in `directory`; None
    if it cannot be had."""
    python = str(directory / "bin" / "python")
    if not directory.exists():
        venv.create(directory, with_pip=True)
    for command in (["-c", "import nixeval"], ["-m", "pip", "install", "--quiet", "nixeval"]):
        if subprocess.run([python, *command], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return python
    return None
