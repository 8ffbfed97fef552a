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

from aionix.errors import IOExceeded, MemoryExceeded, StepsExceeded
from aionix.vm.dependencies import Trail
from aionix.vm.memory import resident

UNLIMITED = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one evaluation may use; None, as all are unless told, is without a bound.

        Budget(seconds=2, memory=200 << 20, io_calls=1000)

    Going over one is an error below `BudgetExceeded`, which Nix code cannot catch; what the evaluation
    shares with others stays usable for them. Who comes first pays for what is shared. A value that is
    returned lazy is not bounded in what it does later.
    """

    #: Time by the clock, waits included. (DeadlineExceeded)
    seconds: float | None = None
    #: Calls and thunks, counted by 64. Compiled code takes fewer than interpreted code. (StepsExceeded)
    steps: int | None = None
    #: Bytes by which the process may grow while this evaluation has its turns; what other threads do
    #: meanwhile counts too. Looked at every five milliseconds, and before a string, list or set of
    #: more than a megabyte is made. (MemoryExceeded)
    memory: int | None = None
    #: Calls that may be nested, if fewer than the `Evaluation` allows. (StackOverflow)
    depth: int | None = None
    #: Questions to the backend, and bytes that it reads for this evaluation. (IOExceeded)
    io_calls: int | None = None
    io_bytes: int | None = None
    #: Characters of the value, about as many as in its JSON: what is in it twice counts twice, what
    #: is not evaluated little. (OutputExceeded)
    output: int | None = None


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

    __slots__ = (
        "_grown", "_resident", "budget", "bytes_read", "depth", "files_read", "io_calls", "max_steps",
        "started", "steps", "trail",
    )  # fmt: skip

    def __init__(self, budget: Budget, trail: Trail) -> None:
        self.budget = budget
        self.max_steps = UNLIMITED if budget.steps is None else budget.steps
        self.depth = UNLIMITED if budget.depth is None else budget.depth
        self._grown = 0
        self._resident = 0
        self.started = perf_counter()
        self.steps = 0
        self.io_calls = 0
        self.files_read = 0
        self.bytes_read = 0
        self.trail = trail

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
        """So many calls and thunks more; raises StepsExceeded."""
        self.steps += count
        if self.steps > self.max_steps:
            raise StepsExceeded(f"the evaluation took more than {self.budget.steps} steps")

    def ask(self) -> None:
        """The backend is about to be asked something; raises IOExceeded."""
        self.io_calls += 1
        if self.budget.io_calls is not None and self.io_calls > self.budget.io_calls:
            raise IOExceeded(f"the evaluation asked the backend more than {self.budget.io_calls} questions")

    def expect(self, count: int) -> None:
        """So many bytes are to be read; raises IOExceeded."""
        if self.budget.io_bytes is not None and self.bytes_read + count > self.budget.io_bytes:
            raise IOExceeded(f"the evaluation reads more than {self.budget.io_bytes} bytes")

    def read(self, count: int, *, first: bool = True) -> None:
        """A file, or another piece of one, was read: `count` bytes; raises IOExceeded."""
        self.files_read += first
        self.bytes_read += count
        self.expect(0)

    # Other tasks have their turns in between, and their memory.

    def begin_turn(self) -> None:
        """What the process grows by from now on is this evaluation's."""
        if self.budget.memory is not None:
            self._resident = resident()

    def end_turn(self) -> None:
        """... until now."""
        if self.budget.memory is not None:
            now = resident()
            self._grown = max(0, self._grown + now - self._resident)
            self._resident = now

    def need(self, size: int) -> None:
        """Something of about `size` bytes is to be made; raises MemoryExceeded."""
        if self.budget.memory is not None:
            self.end_turn()
            if self._grown + size > self.budget.memory:
                raise MemoryExceeded(f"the evaluation needs more than {self.budget.memory} bytes of memory")


_account: ContextVar[Account] = ContextVar("_account")


def current_account() -> Account:
    """That of the evaluation that this is done for; a fresh one, without bounds, if for none."""
    account = _account.get(None)
    return Account(Budget(), Trail()) if account is None else account


@contextmanager
def charged(account: Account) -> Iterator[None]:
    """What is done meanwhile is put down to `account`."""
    token = _account.set(account)
    try:
        yield
    finally:
        _account.reset(token)
