"""Runs one process: what it printed, how long that took, and how much memory it had at most."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).parent.parent
_WEIGH = [sys.executable, "-IS", str(Path(__file__).with_name("weigh.py"))]


class Failed(Exception):
    """There is no result. The message fits into a cell of a table; `details` is for the one who waits."""

    def __init__(self, reason: str, details: str = "") -> None:
        super().__init__(reason)
        self.details = details


class Measured(NamedTuple):
    """A run: seconds by the clock and of the processor, the value, as of JSON, and the largest
    resident set in MiB (None: it was not a process of its own)."""

    seconds: float
    cpu: float
    value: object
    peak: float | None = None


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """That of this process and `more`; no search path."""
    return {name: value for name, value in os.environ.items() if name != "NIX_PATH"} | dict(more)


def run(command: Sequence[str], environment: Mapping[str, str], timeout: float) -> Measured:
    """Runs `command`, a program's path and its arguments, which prints JSON; raises Failed."""
    reading, writing = os.pipe()
    with open(reading, "rb") as reports, open(writing, "wb") as report:
        child = subprocess.Popen(
            [*_WEIGH, str(writing), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            pass_fds=[writing],
            start_new_session=True,
        )
        try:
            output, errors = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise Failed(f"over {timeout:g} s") from None
        finally:
            if child.returncode is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.communicate()
        report.close()
        status, *figures = reports.read().split() or [b"127"]
    if status != b"0":
        raise Failed(f"exit status {status.decode()}", errors.decode(errors="replace"))
    seconds, cpu, peak = map(float, figures)
    return Measured(seconds, cpu, json.loads(output), peak / 1024)
