"""Runs one process: what it printed, how long that took, and how much memory it had at most."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Timer
from typing import NamedTuple

CHECKOUT = Path(__file__).parent.parent


class Failed(Exception):
    """There is no result. The message fits into a cell of a table; `details` is for the one who waits."""

    def __init__(self, reason: str, details: str = "") -> None:
        super().__init__(reason)
        self.details = details


class Measured(NamedTuple):
    """A run: its value, as of JSON, and the largest resident set in MiB (None: not its own process)."""

    seconds: float
    value: object
    peak: float | None


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """That of this process and `more`; no search path."""
    return {name: value for name, value in os.environ.items() if name != "NIX_PATH"} | dict(more)


def run(command: Sequence[str], environment: Mapping[str, str], timeout: float) -> Measured:
    """Runs `command`, which prints JSON, to its end; raises Failed."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=environment
        )
        alarm = Timer(timeout, child.kill)
        alarm.start()
        # Not `child.wait()`, which does not tell what this one child has used.
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        alarm.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        if seconds >= timeout:
            raise Failed(f"over {timeout:g} s")
        if child.returncode:
            errors.seek(0)
            raise Failed(f"exit status {child.returncode}", errors.read().decode(errors="replace"))
        output.seek(0)
        return Measured(seconds, json.load(output), usage.ru_maxrss / 1024)
