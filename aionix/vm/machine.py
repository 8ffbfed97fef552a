"""What the frames of one `Evaluation` share while they run.

One event loop runs one frame at a time, so "the run that is running" and its call depth can
live here, where the interpreter's hot paths reach them with one attribute look-up. The frame
loop sets them whenever it resumes a fiber.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from time import perf_counter
from types import MethodType
from typing import ClassVar, Protocol

from aionix.errors import StackOverflow
from aionix.values.thunk import Value, entry_of
from aionix.vm import collector
from aionix.vm.account import Account

#: A fiber hands the event loop a turn after this many seconds. Other tasks may be made to wait for
#: 20 ms: half is left for the collector and for a builtin's unbroken stretch.
SLICE = 0.005
#: Calls and thunks between two looks at the clock: some 0.1 ms of interpreted code.
CALLS_PER_LOOK = 64
#: Calls that nest on one fiber before the next fiber takes over. To leave a fiber takes time
#: proportional to its depth, since greenlet on Python 3.12 and later makes an object of every frame.
CALLS_PER_FIBER = 500

#: Fibers of one evaluation that may be ahead of it while it waits.
AHEAD = 64


class Running(Protocol):
    """The run, as far as the clock needs it."""

    account: Account


def _apply(pair: tuple[MethodType, Value]) -> Value:
    return pair[0](pair[1])


class Yielding(Protocol):
    """The fiber, as far as the clock needs it."""

    @property
    def run(self) -> Running: ...

    def yield_to_event_loop(self) -> None: ...


class Machine:
    """The running run, its call depth, and the time it has had."""

    #: How many fibers, of all evaluations, have had their slice and wait for the next one. They all
    #: take their turn before a task that was not among them, so they share one slice.
    waiting: ClassVar[int] = 0

    __slots__ = (
        "_thread", "_users", "ahead", "applied", "depth", "limit", "max_depth", "run", "slice", "slice_end",
        "ticks",
    )  # fmt: skip

    def __init__(self, max_depth: int, ahead: int = AHEAD, slice: float | None = None) -> None:
        self.max_depth = max_depth
        self.ahead = ahead
        self.depth = 0
        self.limit = max_depth
        self.ticks = CALLS_PER_LOOK
        self.slice = slice
        self.slice_end = 0.0
        self.run: object = None
        #: The entry of thunks for a call: their payload is (closure, argument).
        self.applied = entry_of(_apply, self)
        self._users = 0
        self._thread = 0

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Around a run. Raises RuntimeError if another thread's event loop has one going on."""
        if self._users and self._thread != get_ident():
            raise RuntimeError("an Evaluation belongs to one event loop at a time")
        self._users += 1
        self._thread = get_ident()
        try:
            with collector.seldom():
                yield
        finally:
            self._users -= 1

    def begin_slice(self, more: float = 0.0) -> None:
        """A slice of SLICE seconds, or as many as were asked for, shared with those who wait for theirs, and
        of some `more`."""
        seconds = SLICE if self.slice is None else self.slice
        self.slice_end = perf_counter() + seconds / (1 + Machine.waiting) + more

    def look_at_clock(self, fiber: Yielding) -> None:
        """Called when `ticks` has run out, and by long loops: ends the slice when it is over."""
        fiber.run.account.step(CALLS_PER_LOOK)
        self.ticks = CALLS_PER_LOOK
        if perf_counter() > self.slice_end:
            fiber.run.account.need(0)
            fiber.yield_to_event_loop()

    def overflow(self) -> StackOverflow:
        return StackOverflow("stack overflow; max-call-depth exceeded")
