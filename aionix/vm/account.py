"""What one evaluation may use, and what it has used.

Each evaluation has an account. It is found through a context variable, so that whatever is done
for the evaluation, in fibers, tasks and threads, is put down to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import perf_counter

from aionix.vm.dependencies import Trail

UNLIMITED = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one evaluation may use; None, as all are unless told, is without a bound.

        Budget(seconds=2, io_calls=1000)

    Going over one is an error below `BudgetExceeded`, which Nix code cannot catch; what the evaluation
    shares with others stays usable for them.
    """

    #: Time by the clock, waits included. (DeadlineExceeded)
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one evaluation has used."""

    #: Calls and thunks, counted by 64.
    steps: int = 0
    #: Questions to the backend, and how many of them read a file.
    io_calls: int = 0
    files_read: int = 0
    #: What these files had in them.
    bytes_read: int = 0
    #: By the clock, waits included.
    seconds: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            steps=self.steps + other.steps,
            io_calls=self.io_calls + other.io_calls,
            files_read=self.files_read + other.files_read,
            bytes_read=self.bytes_read + other.bytes_read,
            seconds=self.seconds + other.seconds,
        )


class Account:
    """The account of one evaluation: its budget, and counts."""

    __slots__ = ("budget", "bytes_read", "files_read", "io_calls", "started", "steps", "trail")

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.started = perf_counter()
        self.steps = 0
        self.io_calls = 0
        self.files_read = 0
        self.bytes_read = 0
        self.trail = Trail()

    def usage(self) -> Usage:
        """What was used so far."""
        return Usage(
            steps=self.steps,
            io_calls=self.io_calls,
            files_read=self.files_read,
            bytes_read=self.bytes_read,
            seconds=perf_counter() - self.started,
        )

    def step(self, count: int) -> None:
        """So many calls and thunks more."""
        self.steps += count

    def ask(self) -> None:
        """The backend is about to be asked something."""
        self.io_calls += 1

    def read(self, count: int, *, first: bool = True) -> None:
        """A file, or another piece of one, was read: `count` bytes."""
        self.files_read += first
        self.bytes_read += count


_account: ContextVar[Account] = ContextVar("_account")


def current_account() -> Account:
    """That of the evaluation that this is done for; a fresh one, without bounds, if for none."""
    account = _account.get(None)
    return Account(Budget()) if account is None else account


@contextmanager
def charged(account: Account) -> Iterator[None]:
    """What is done meanwhile is put down to `account`."""
    token = _account.set(account)
    try:
        yield
    finally:
        _account.reset(token)
