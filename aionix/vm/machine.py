"""What the frames of one `Evaluation` share while they run.

One event loop runs one frame at a time, so "the run that is running" and its call depth can
live here, where the interpreter's hot paths reach them with one attribute look-up. The frame
loop sets them whenever it resumes a fiber.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident, local
from time import perf_counter
from typing import Protocol

# Its parts load when one is used: 13 ms of 100. Its backend for the loop, which does so too, needs them all.
import anyio

from aionix.errors import StackOverflow
from aionix.event_loop import one_pass
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
    place: Place | None

    @property
    def machine(self) -> Machine: ...

    def in_turn(self) -> bool: ...


class Yielding(Protocol):
    """The fiber, as far as the clock needs it."""

    @property
    def run(self) -> Running: ...

    def yield_to_event_loop(self) -> None: ...


class Place:
    """A fiber's place in the line of those who wait for a slice."""

    __slots__ = ("_called", "_waiting", "taken")

    def __init__(self) -> None:
        self.taken = False
        self._called = False
        self._waiting: anyio.Event | None = None

    def call(self) -> None:
        """Its turn has come."""
        self._called = True
        if self._waiting is not None:
            self._waiting.set()

    async def called(self) -> None:
        """Waits for its turn, for a pass of the event loop at least."""
        if self._called:  # as most are, at once: the only one in line
            await one_pass()
        else:
            self._waiting = anyio.Event()
            await self._waiting.wait()


class Turns(local):
    """Who may compute, of all the fibers of a thread: they share one slice in each pass of its event loop.

    Whoever finds the slice over, or others in line, stands in line, and has the next one when it is first:
    the other tasks wait for one slice, however many fibers there are, and who came first is not overtaken.
    """

    def __init__(self) -> None:
        self.began = 0.0
        self._granted = 0.0
        self.end = 0.0
        self._line: deque[Place] = deque()
        self._ahead: deque[Place] = deque()
        self._called: Place | None = None

    def begin(self, seconds: float) -> None:
        """A slice of so many seconds."""
        self.began = self._granted = perf_counter()
        self.end = self.began + seconds

    def may_go_on(self, since: float, seconds: float) -> bool:
        """May a fiber compute now, that has let the event loop go on at `since`, or never (0)? A slice that
        begins with it has so many seconds."""
        if self._line:
            return False
        now = perf_counter()
        if now < self.end:
            self._granted = now
            return True
        # No pass since the last slice, as far as is known; a while after it, others had theirs.
        if since <= self.began and now < self.end + seconds:
            return False
        self.begin(seconds)
        return True

    async def stand_in_line(self, run: Running, interrupted: bool = False) -> None:
        """Waits for a slice, or what somebody has left of one; who is ahead of its turn stands behind all
        who are not. Whoever was `interrupted`, after less than a slice, stands in front: else what takes a
        millisecond would wait for all others once more, if it began at the end of a slice."""
        place = run.place = Place()
        line = self._line if run.in_turn() else self._ahead
        (line.appendleft if interrupted and self._granted > self.began else line.append)(place)
        try:
            await self._wait(place, run.machine.slice)
        finally:
            run.place = None

    async def admitted(self, seconds: float) -> None:
        """To be awaited by a run before it begins, by a whole evaluation before anything else. `call_next` is
        called after that, whatever comes of it.

        To set one up takes some 50 microseconds: 200 that began in one pass of the event loop would take
        two slices for that alone. To stand in line takes 10.
        """
        if not self.may_go_on(0.0, seconds):
            place = Place()
            self._line.append(place)
            await self._wait(place, seconds)

    async def _wait(self, place: Place, seconds: float) -> None:
        try:
            self.call_next()
            await place.called()
            if perf_counter() >= self.end:
                # asyncio needs one pass for a timer that fell due and one for the task it wakes, and takes up
                # this task first in each: with fewer, that task would wait for two more slices.
                for _ in range(2):
                    await one_pass()
                self.begin(seconds)
            else:
                self._granted = perf_counter()
        finally:
            place.taken = True
            if place is self._called:
                self._called = None

    def hurry(self, place: Place) -> None:
        """Somebody who is not ahead has come to wait for this one."""
        self._line.append(place)

    def call_next(self) -> None:
        """Calls the first in line, if nobody has been called; for whoever stops computing."""
        for line in (self._line, self._ahead):
            while line and self._called is None:
                place = line.popleft()
                if not place.taken:
                    place.taken = True
                    self._called = place
                    place.call()


TURNS = Turns()


class Machine:
    """The running run, its call depth, and the time it has had."""

    __slots__ = (
        "_slice", "_thread", "_users", "ahead", "depth", "helped", "limit", "max_depth", "run", "ticks",
    )  # fmt: skip

    def __init__(self, max_depth: int, ahead: int = AHEAD, slice: float | None = None) -> None:
        self.max_depth = max_depth
        self.ahead = ahead
        #: Is there anything to do for a run that waits?
        self.helped = True
        self.depth = 0
        self.limit = max_depth
        self.ticks = CALLS_PER_LOOK
        self._slice = slice
        self.run: object = None
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

    @property
    def slice(self) -> float:
        """Seconds after which a fiber hands the event loop a turn."""
        return SLICE if self._slice is None else self._slice

    def look_at_clock(self, fiber: Yielding) -> None:
        """Called when `ticks` has run out, and by long loops: ends the slice when it is over."""
        fiber.run.account.step(CALLS_PER_LOOK)
        self.ticks = CALLS_PER_LOOK
        if perf_counter() > TURNS.end:
            fiber.run.account.need(0)
            fiber.yield_to_event_loop()

    def overflow(self) -> StackOverflow:
        return StackOverflow("stack overflow; max-call-depth exceeded")
