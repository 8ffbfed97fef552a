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
from contextvars import ContextVar, copy_context
from time import perf_counter
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar, cast

import anyio

from aionix.source import SourceMap
from aionix.values.thunk import Thunk, blackhole
from aionix.values.walk import Walk, Walks
from aionix.vm.account import current_account
from aionix.vm.ahead import Ahead
from aionix.vm.dependencies import Trail, asked_for, trail_of
from aionix.vm.fiber import Done, Fiber, Pause
from aionix.vm.machine import CALLS_PER_LOOK, TURNS, Machine, Place
from aionix.vm.requests import InFiber

if TYPE_CHECKING:
    from aionix.vm.host import Host

T = TypeVar("T")

#: The run whose coroutine is being resumed. A builtin that evaluates something itself, in a task of
#: its own or not, starts a run that the first one waits for: this is how that is known.
_resuming: ContextVar[Run | None] = ContextVar("_resuming", default=None)

Frame: TypeAlias = "Fiber | Coroutine[object, object, object]"


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


class Watch(NamedTuple):
    """`waiter` waits until another run is no longer forcing `thunk`."""

    waiter: Run
    thunk: Thunk
    wake: Callable[[], None]


class Run:
    """One evaluation in progress, or a helper of one; the identity that its blackholes remember.

    It cannot go on without the runs that its builtins began, nor without whoever is forcing the
    thunk that it awaits.
    """

    __slots__ = (
        "_awaited",
        "_away",
        "_begun",
        "_parent",
        "_patience",
        "_scope",
        "_watched",
        "account",
        "ahead",
        "ahead_of",
        "context",
        "depth",
        "frames",
        "host",
        "machine",
        "max_depth",
        "place",
        "ticks",
        "waiting",
        "walks",
    )

    def __init__(self, machine: Machine, host: Host) -> None:
        self.machine = machine
        self.host = host
        self.account = current_account()
        self.max_depth = min(machine.max_depth, self.account.depth)
        self.ticks = CALLS_PER_LOOK
        self.frames: list[Frame] = []
        self.context = copy_context()
        #: The call depth of what has to wait.
        self.depth = 0
        self.waiting = False
        #: Since when the event loop has had its turn, 0 for a helper that only begins; None in between.
        self._away: float | None = None
        self.place: Place | None = None
        self.walks: Walks = []
        self.ahead: Ahead | None = None
        self.ahead_of: Walk | None = None
        self._awaited: Thunk | None = None
        self._begun: set[Run] = set()
        self._patience: anyio.Event | None = None
        self._scope: anyio.CancelScope | None = None
        self._watched: list[Watch] = []
        self._parent = _resuming.get()
        if self._parent is not None:
            self.ahead_of, self._scope = self._parent.ahead_of, self._parent._scope

    def helper(self) -> Run:
        """A run that may go ahead of this one's walks."""
        run = Run(self.machine, self.host)
        run._parent, run._away = None, 0.0
        run.ahead, run.ticks = self.ahead, self.ticks
        return run

    def go_ahead(self, walk: Walk, scope: anyio.CancelScope) -> None:
        """What comes now is ahead of `walk`, until `scope` is cancelled."""
        self.ahead_of, self.depth, self._scope = walk, walk.depth, scope

    @property
    def sources(self) -> SourceMap:
        return self.host.sources

    def uses(self, trail: Trail, frame: FrameType) -> None:
        """As `use`, for the code at `frame` of the fiber that runs."""
        self.account.trail.used.add(trail)
        asking = trail_of(frame)
        if asking is not None:
            asking.used.add(trail)

    @property
    def trail(self) -> Trail | None:
        """That of the file whose code asks for what the coroutine on top does."""
        fibers = [frame for frame in reversed(self.frames) if isinstance(frame, Fiber)]
        return trail_of(fibers[0].frame)

    async def result(self, function: Callable[[], T]) -> T:
        """Runs `function` in a fiber and returns what it returns, or raises what it raises. For a run that is
        admitted."""
        frames = self.frames = [Fiber(self, function, self.depth)]
        if self._parent is None:
            return cast(T, await self._drive(frames))
        self._parent._begun.add(self)
        try:
            return cast(T, await self._drive(frames))
        finally:
            self._parent._begun.discard(self)

    async def _drive(self, frames: list[Frame]) -> object:
        answer: object = None
        error: BaseException | None = None
        while True:
            frame = frames[-1]
            try:
                if isinstance(frame, Fiber):
                    if self._away is not None and error is None:
                        error = await self._turn()
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
                    return asked.value
                answer = asked.value
            elif isinstance(asked, InFiber):
                if isinstance(frame, Fiber):
                    depth = frame.depth
                else:
                    # A coroutine is always on top of the fiber that called it: one more call.
                    depth = self.depth + 1
                if depth > self.max_depth:
                    error = self.machine.overflow()
                else:
                    frames.append(Fiber(self, asked.function, depth))
            elif isinstance(asked, Pause):
                self._wake_watchers()
                try:
                    answer = await asked.turn()
                except BaseException as raised:
                    error = raised
            else:
                self.depth = frame.depth  # type: ignore[union-attr]  # a fiber asks
                frames.append(asked)  # type: ignore[arg-type]  # for a coroutine
                self._wake_watchers()
                if self.ahead is None and self.machine.helped:
                    return await self._drive_with_helpers(frames)

    async def _turn(self) -> BaseException | None:
        """Waits until this run may compute again; what the fiber is to be told if that is cancelled."""
        since, self._away = self._away, None
        assert since is not None
        if not TURNS.may_go_on(since, self.machine.slice):
            try:
                await TURNS.stand_in_line(self)
            except BaseException as error:
                return error
        return None

    async def _drive_with_helpers(self, frames: list[Frame]) -> object:
        # Only from the first wait on, for it takes 30 microseconds. No coroutine has run yet, so any scope
        # that one enters is inside of this one.
        async with anyio.create_task_group() as group:
            self.ahead = Ahead(group, self.context, self.machine.ahead)
            try:
                return await self._drive(frames)
            except Exception as error:
                failure = error  # raised here, it would come out as a group
            finally:
                self.ahead.stop()
                self.ahead = None
        raise failure

    def needs(self, other: Run) -> bool:
        """Does this run, through whatever it waits for, wait for `other`?"""
        return other in _reached(self, Run._waits_for)

    def _waits_for(self) -> set[Run]:
        # Asked of the thunk itself: it may be done although this run has not had its turn since.
        thunk = self._awaited
        if thunk is None or thunk[0] is not blackhole:
            return self._begun
        return {cast(Run, thunk[1]), *self._begun}

    def in_turn(self) -> bool:
        """Would what happens now happen now without helpers, too? Somebody who is none waits for it."""
        if self.ahead_of is None:
            return True
        return any([run.ahead_of is None for run in _reached(self, Run._waiters)])

    def _waiters(self) -> set[Run]:
        waiters = {watch.waiter for watch in self._watched if watch.thunk[1] is self}
        return waiters if self._parent is None else {self._parent, *waiters}

    async def until_in_turn(self) -> None:
        """Waits until what comes before has been done."""
        while not self.in_turn():
            self._patience = anyio.Event()
            try:
                await self._patience.wait()
            finally:
                self._patience = None

    def give_way(self) -> bool:
        """Gives up what a helper is doing, as soon as it waits; False if this is none."""
        if self._scope is None:
            return False
        self._scope.cancel()
        return True

    async def finished(self, thunk: Thunk, owner: Run) -> None:
        """Waits until `owner`, another run, is no longer forcing `thunk`."""
        changed = anyio.Event()
        watch = Watch(self, thunk, changed.set)
        owner._watched.append(watch)
        self._awaited = thunk
        if self.in_turn():
            for run in _reached(owner, Run._waits_for):
                if run._patience is not None:
                    run._patience.set()
                if run.place is not None:
                    TURNS.hurry(run.place)
        try:
            await changed.wait()
        finally:
            self._awaited = None
            if watch in owner._watched:
                owner._watched.remove(watch)

    def _wake_watchers(self) -> None:
        # Other runs only run while this one is suspended or over, so looking here, and never when
        # a thunk is finished, sees every change in time and costs the interpreter nothing.
        if self._watched:
            done = [watch for watch in self._watched if watch.thunk[1] is not self]
            if done:
                self._watched = [watch for watch in self._watched if watch.thunk[1] is self]
                for watch in done:
                    watch.wake()

    @types.coroutine
    def _step(
        self, coroutine: Coroutine[object, object, object], answer: object, error: BaseException | None
    ) -> Generator[object, object, InFiber | Done]:
        """Resumes a coroutine until it is done or asks something of the frame loop."""
        while True:
            outer = _resuming.set(self)
            try:
                asked = coroutine.send(answer) if error is None else coroutine.throw(error)
            except StopIteration as stop:
                return Done(stop.value)
            finally:
                _resuming.reset(outer)
            if isinstance(asked, InFiber):
                return asked
            self.waiting = True
            self._away = perf_counter()
            if self.walks and self.ahead is not None:
                self.ahead.look(self)
            try:
                answer, error = (yield asked), None
            except BaseException as raised:
                answer, error = None, raised
            self.waiting = False


def _reached(run: Run, others: Callable[[Run], set[Run]]) -> set[Run]:
    """`run`, the `others` of it, and theirs."""
    seen, pending = {run}, [run]
    while pending:
        new = others(pending.pop()) - seen
        seen |= new
        pending += new
    return seen
