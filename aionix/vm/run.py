"""The frame loop: an evaluation is a stack of frames, and this is what drives it.

A frame is resumed with a message and answers with a request or with its result. A *fiber*
(`vm.fiber`) runs Nix code, synchronously, on a greenlet; a *coroutine* is a builtin that does
IO. The loop resumes the top frame; what a fiber wants awaited becomes a coroutine on top of it,
what a coroutine wants evaluated becomes a fiber on top of that; a result or an error goes to the
frame below. Anything a coroutine awaits that is not ours goes up to the event loop untouched.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Coroutine, Generator
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar, cast

import anyio

from aionix.source import SourceMap
from aionix.values.thunk import Thunk, blackhole
from aionix.vm.account import current_account
from aionix.vm.dependencies import Trail, asked_for, trail_of
from aionix.vm.fiber import Done, Fiber
from aionix.vm.machine import CALLS_PER_LOOK, Machine
from aionix.vm.requests import Concurrently, InFiber

if TYPE_CHECKING:
    from aionix.vm.host import Host

T = TypeVar("T")
Request = InFiber | Concurrently

#: How many values one `force_all` evaluates at the same time.
CONCURRENCY = 64


#: The run whose coroutine is being resumed. A builtin that evaluates something itself, in a task of
#: its own or not, starts a run that the first one waits for: this is how that is known.
_resuming: ContextVar[Run | None] = ContextVar("_resuming", default=None)


def current_run() -> Run | None:
    """The run whose coroutine this is."""
    return _resuming.get()


def current_trails() -> list[Trail]:
    """Where to note what is looked at now: for the evaluation, and for the file whose code asks."""
    run = current_run()
    asking = asked_for() or (None if run is None else run.trail)
    trails = [current_account().trail]
    return trails if asking is None else [*trails, asking]


def use(trail: Trail) -> None:
    """Whoever asks depends on what `trail` notes."""
    for user in current_trails():
        user.used.add(trail)


class Run:
    """One evaluation in progress; the identity that its blackholes remember.

    It cannot go on without the runs that its builtins and `force_all` began, nor without whoever
    is forcing the thunk that it awaits.
    """

    __slots__ = (
        "_awaited", "_begun", "_parent", "_watched", "account", "frames", "host", "machine", "max_depth",
        "ticks",
    )  # fmt: skip

    def __init__(self, machine: Machine, host: Host) -> None:
        self.machine = machine
        self.host = host
        self.account = current_account()
        self.max_depth = min(machine.max_depth, self.account.depth)
        self.ticks = CALLS_PER_LOOK
        self.frames: list[Fiber | Coroutine[object, object, object]] = []
        self._awaited: Thunk | None = None
        self._begun: set[Run] = set()
        self._parent = _resuming.get()
        self._watched: list[tuple[Thunk, Callable[[], None]]] = []

    @property
    def sources(self) -> SourceMap:
        return self.host.sources

    @property
    def trail(self) -> Trail | None:
        """That of the file whose code asks for what the coroutine on top does."""
        fibers = [frame for frame in reversed(self.frames) if isinstance(frame, Fiber)]
        return trail_of(fibers[0].frame)

    async def result(self, function: Callable[[], T]) -> T:
        """Runs `function` in a fiber and returns what it returns, or raises what it raises."""
        if self._parent is None:
            return await self._drive(function)
        self._parent._begun.add(self)
        try:
            return await self._drive(function)
        finally:
            self._parent._begun.discard(self)

    async def _drive(self, function: Callable[[], T]) -> T:
        frames = self.frames = [Fiber(self, function, 0)]
        answer: object = None
        error: BaseException | None = None
        while True:
            frame = frames[-1]
            try:
                if isinstance(frame, Fiber):
                    asked = frame.resume(answer, error)
                else:
                    asked = await self._step(frame, answer, error)
            except BaseException as raised:
                frames.pop()
                self._wake_watchers()
                if not frames:
                    raise
                answer, error = None, raised
                continue
            answer, error = None, None
            if isinstance(asked, Done):
                frames.pop()
                self._wake_watchers()
                if not frames:
                    return cast(T, asked.value)
                answer = asked.value
            elif isinstance(asked, InFiber):
                if isinstance(frame, Fiber):
                    depth = frame.depth
                else:
                    # A coroutine is always on top of the fiber that called it: one more call.
                    depth = cast(Fiber, frames[-2]).depth + 1
                if depth > self.max_depth:
                    error = self.machine.overflow()
                else:
                    frames.append(Fiber(self, asked.function, depth))
            elif isinstance(asked, Concurrently):
                try:
                    answer = await self._children(asked.functions)
                except BaseException as raised:
                    error = raised
            else:
                frames.append(cast(Coroutine[object, object, object], asked))
                self._wake_watchers()

    async def _children(self, functions: tuple[Callable[[], object], ...]) -> list[object]:
        """The results in order. Of several errors the first in order counts, whoever was faster."""
        results: list[object] = [None] * len(functions)
        errors: dict[int, Exception] = {}
        queue = iter(range(len(functions)))

        async def worker(run: Run) -> None:
            for index in queue:
                try:
                    results[index] = await run.result(functions[index])
                except Exception as error:
                    errors[index] = error

        outer = _resuming.set(self)
        try:
            runs = [Run(self.machine, self.host) for _ in functions[:CONCURRENCY]]
        finally:
            _resuming.reset(outer)
        async with anyio.create_task_group() as group:
            for run in runs:
                group.start_soon(worker, run)
        if errors:
            raise errors[min(errors)]
        return results

    def needs(self, other: Run) -> bool:
        """Does this run, through whatever it waits for, wait for `other`?"""
        pending, seen = [self], {self}
        while pending:
            run = pending.pop()
            if run is other:
                return True
            new = [waited for waited in run._waits_for() if waited not in seen]
            seen.update(new)
            pending += new
        return False

    def _waits_for(self) -> set[Run]:
        # Asked of the thunk itself: it may be done although this run has not had its turn since.
        thunk = self._awaited
        if thunk is None or thunk[0] is not blackhole:
            return self._begun
        return {cast(Run, thunk[1]), *self._begun}

    async def finished(self, thunk: Thunk, owner: Run) -> None:
        """Waits until `owner`, another run, is no longer forcing `thunk`."""
        changed = anyio.Event()
        entry = (thunk, changed.set)
        owner._watched.append(entry)
        self._awaited = thunk
        try:
            await changed.wait()
        finally:
            self._awaited = None
            if entry in owner._watched:
                owner._watched.remove(entry)

    def _wake_watchers(self) -> None:
        # Other runs only run while this one is suspended or over, so looking here, and never when
        # a thunk is finished, sees every change in time and costs the interpreter nothing.
        if self._watched:
            done = [entry for entry in self._watched if entry[0][1] is not self]
            if done:
                self._watched = [entry for entry in self._watched if entry[0][1] is self]
                for _, wake in done:
                    wake()

    @types.coroutine
    def _step(
        self, coroutine: Coroutine[object, object, object], answer: object, error: BaseException | None
    ) -> Generator[object, object, Request | Done]:
        """Resumes a coroutine until it is done or asks something of the frame loop."""
        while True:
            outer = _resuming.set(self)
            try:
                asked = coroutine.send(answer) if error is None else coroutine.throw(error)
            except StopIteration as stop:
                return Done(stop.value)
            finally:
                _resuming.reset(outer)
            if isinstance(asked, Request):
                return asked
            try:
                answer, error = (yield asked), None
            except BaseException as raised:
                answer, error = None, raised
