"""Lets contestants run a row in turns: what slows the machine for a while slows them all."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from statistics import median
from typing import TypedDict

from benchmarks.contestants import Contestant, Entrant
from benchmarks.process import Failed, Measured
from benchmarks.rows import Arguments, Program

#: The one whose value is right, and whose time is 1.
REFERENCE = "C++ Nix"


class Cell(TypedDict, total=False):
    """One contestant in one row: medians, or why there are none.

    `seconds` by the clock and `cpu` seconds of the processor are those of the runs less those of the
    starts; `runs` and `starts` are single ones, by the clock. `peak` is in MiB.
    """

    seconds: float
    cpu: float
    peak: float | None
    runs: list[float]
    starts: list[float]
    failed: str


class Row(TypedDict):
    """What came of a row, of which `rounds` were run."""

    kind: str
    rounds: int
    cells: dict[str, Cell]
    differs: list[str]


class Turns:
    """A contestant's runs of one row. The first failure is the last run."""

    def __init__(self, entrant: Entrant, timeout: float) -> None:
        self._entrant = entrant
        self._timeout = timeout
        self._starts: list[Measured] = []
        self._runs: list[Measured] = []
        self._failed: Failed | None = None

    def run(self) -> None:
        if self._failed is None:
            try:
                self._starts.append(self._entrant.start(self._timeout))
                self._runs.append(self._entrant.run(self._timeout))
            except Failed as failed:
                self._failed = failed
                print(failed.details, file=sys.stderr)

    def value(self) -> object:
        """What it evaluates to, if it does."""
        return None if self._failed else self._runs[-1].value

    def cell(self) -> Cell:
        if self._failed is not None:
            return {"failed": str(self._failed)}
        runs, starts = self._runs, self._starts
        peaks = [run.peak for run in runs if run.peak is not None]
        start, cpu = median([run.seconds for run in starts]), median([run.cpu for run in starts])
        return {
            "seconds": round(median([run.seconds for run in runs]) - start, 4),
            "cpu": round(median([run.cpu for run in runs]) - cpu, 4),
            "peak": round(median(peaks), 1) if peaks else None,
            "runs": [round(run.seconds, 4) for run in runs],
            "starts": [round(run.seconds, 4) for run in starts],
        }


def race(
    program: Program,
    arguments: Arguments,
    contestants: Mapping[str, Contestant],
    rounds: int,
    timeout: float,
) -> Row:
    """Runs `rounds` rounds, each of a turn of every contestant."""
    turns = {}
    with ExitStack() as stack:
        for name, contestant in contestants.items():
            if entrant := contestant(program, arguments):
                stack.callback(entrant.close)
                turns[name] = Turns(entrant, timeout)
        for _ in range(rounds):
            for each in turns.values():
                each.run()
    values = {name: each.value() for name, each in turns.items()}
    right = next((values[name] for name in (REFERENCE, *values) if values.get(name) is not None), None)
    return {
        "kind": program.kind,
        "rounds": rounds,
        "cells": {name: each.cell() for name, each in turns.items()},
        "differs": [name for name, value in values.items() if value is not None and value != right],
    }
