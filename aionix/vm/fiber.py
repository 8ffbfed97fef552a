"""A fiber: Nix code running in direct style on a greenlet of its own.

A force or a call is a plain Python call there, which is four times faster than any frame that
can be suspended. When the code needs the outside world, `suspend` switches to the frame loop
with something to await, and returns what came out of it: nothing is unwound or replayed.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from inspect import iscoroutine
from time import thread_time
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

from greenlet import getcurrent, greenlet

from aionix.errors import InfiniteRecursion
from aionix.values.thunk import Thunk, Value, current_fiber, force
from aionix.vm.machine import CALLS_PER_FIBER, TURNS
from aionix.vm.requests import InFiber

if TYPE_CHECKING:
    from aionix.vm.dependencies import Trail
    from aionix.vm.run import Run

T = TypeVar("T")

#: Python's own limit while a fiber runs. Calls from Python to Python take no C stack, so the
#: depth is bounded by `max_call_depth` and memory; a million levels need four million frames.
DEEP = 100_000_000
#: A slice is longer by this many times what it took to begin it: frames that are not calls (a long chain of
#: thunks, a comparison of deep data) make switching slow, see CALLS_PER_FIBER.
PROPORTION = 4


class Done(NamedTuple):
    """A frame's last answer: its result."""

    value: object


class Pause(NamedTuple):
    """A fiber's wish to let other tasks run for a moment."""

    run: Run

    async def turn(self) -> float:
        """How many seconds of processor time they took."""
        started = thread_time()
        await TURNS.stand_in_line(self.run, interrupted=True)
        return thread_time() - started


# CPython keeps frames in chunks of 16 KiB (_PyThreadState_PushFrame), gives a chunk back to the system
# when its first frame returns, and asks for it again at the next call. Code that goes up and down there, as
# all code with a stack does, spends a third of its time in mmap and munmap: 270,000 of each in a NixOS
# system. A first frame of so many words makes a chunk of twice its size, and the other half has room for
# some 1,500 frames. What is not touched is no memory.
_ROOM = (256 << 10) // 8


def _run(function: Callable[[], object]) -> Done:
    return Done(function())


_run.__code__ = _run.__code__.replace(co_stacksize=_ROOM)


class Fiber:
    """One frame of Nix code: `function()`, on a stack of its own; `depth` is its call depth."""

    __slots__ = ("_function", "_limit", "_stack", "depth", "run")

    def __init__(self, run: Run, function: Callable[[], object], depth: int) -> None:
        self.run = run
        self.depth = depth
        self._limit = min(depth + CALLS_PER_FIBER, run.max_depth)
        self._function: Callable[[], object] | None = function
        self._stack = greenlet(_run)
        self._stack.fiber = self  # type: ignore[attr-defined]  # how current_fiber() finds it

    @property
    def frame(self) -> FrameType | None:
        """The innermost frame, while the fiber is suspended."""
        return self._stack.gr_frame

    def resume(self, answer: object, error: BaseException | None) -> object:
        """Runs until the code needs something, and returns what: an awaitable, or `Done`.

        `answer` or `error` is what the last `suspend` returns or raises; an error that the code
        does not catch comes out here.
        """
        machine = self.run.machine
        stack = self._stack
        hub = getcurrent()
        stack.parent = hub
        if not stack:
            stack.gr_context = hub.gr_context
            answer, self._function = self._function, None
        machine.run, machine.depth, machine.limit = self.run, self.depth, self._limit
        machine.ticks = self.run.ticks
        self.run.account.begin_turn()
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(DEEP)
        try:
            return stack.switch(answer) if error is None else stack.throw(error)
        finally:
            sys.setrecursionlimit(limit)
            self.depth = machine.depth
            self.run.ticks = machine.ticks
            self.run.account.end_turn()
            machine.run = None
            TURNS.call_next()

    def suspend(self, awaitable: Awaitable[T]) -> T:
        """Lets the event loop await, and returns what came out; Python's stack stays as it is."""
        coroutine = awaitable if iscoroutine(awaitable) else _as_coroutine(awaitable)
        return self._ask(coroutine)  # type: ignore[return-value]

    def wait_for(self, thunk: Thunk) -> Value:
        """Waits until another run is done with `thunk`, or raises InfiniteRecursion."""
        owner = cast("Run", thunk[1])
        if owner.needs(self.run) and not (self.run.give_way() or owner.give_way()):
            raise InfiniteRecursion(thunk)
        self.suspend(self.run.finished(thunk, owner))
        return force(thunk)

    def checkpoint(self) -> None:
        """Gives the event loop a turn if this fiber has had its few milliseconds."""
        self.run.machine.look_at_clock(self)

    def yield_to_event_loop(self) -> None:
        """Gives the event loop a turn now."""
        started = thread_time()
        away = cast(float, self._ask(Pause(self.run)))
        TURNS.begin(self.run.machine.slice + PROPORTION * (thread_time() - started - away))

    def deeper(self, function: Callable[[], Value]) -> Value:
        """`function()`, for which this fiber is too deep: on a fiber of its own."""
        machine = self.run.machine
        if machine.depth >= self.run.max_depth:
            raise machine.overflow()
        # A loop at just this depth should not change fibers at every turn.
        self._limit = min(self._limit + CALLS_PER_FIBER // 8, self.run.max_depth)
        return self._ask(InFiber(function))

    def inside(self, thunk: Thunk) -> Value:
        """`force(thunk)`, one call deeper: what it evaluates may come here again without calling anything."""
        machine = self.run.machine
        depth = machine.depth
        if depth >= machine.limit:
            return self.deeper(lambda: force(thunk))
        machine.depth = depth + 1
        value = force(thunk)
        machine.depth = depth
        return value

    def _ask(self, request: object) -> object:
        parent = self._stack.parent
        assert parent is not None
        return parent.switch(request)

    def mark(self) -> int:
        """The call depth here, for `unwind`."""
        return self.run.machine.depth

    def unwind(self, mark: int) -> None:
        """To be called by whoever catches an error: the call depth is what it was at `mark`."""
        self.run.machine.depth = mark

    def wait_for_turn(self) -> None:
        """To be called before what can be seen from outside: what comes before it has been done then."""
        if not self.run.in_turn():
            self.suspend(self.run.until_in_turn())

    def copy_to_store(self, path: str) -> str:
        """The store path, as a string with its context, of the file or tree at `path`."""
        known = self.run.host.copied(path)
        if known is None:
            return self.suspend(self.run.host.copy_to_store(path))
        self.uses(known.trail)
        return known.store_path

    def uses(self, trail: Trail) -> None:
        """The code that is running depends on what `trail` notes."""
        self.run.uses(trail, sys._getframe(1))


def running() -> Fiber:
    """The fiber that this code runs on."""
    return current_fiber()  # type: ignore[return-value]  # a cast would take as long again


def checkpoint() -> None:
    """Gives the event loop a turn if it is due; nothing for code that runs on no fiber."""
    fiber: Fiber | None = getattr(getcurrent(), "fiber", None)
    if fiber is not None:
        fiber.checkpoint()


async def _as_coroutine(awaitable: Awaitable[T]) -> T:
    return await awaitable
