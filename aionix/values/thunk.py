"""Laziness: the thunk, and `force`.

A thunk is a plain two-element list `[entry, payload]`, because a list is the cheapest mutable
pair that CPython has (creation 32 ns; a slotted class 268). No other value is a list, so
`type(v) is list` is the test. Its states, and who may leave them:

    [entry, payload]   suspended: `entry(thunk)` computes, stores and returns the value
    [blackhole, run]   being forced by `run`; only the entry that is computing it may leave this
    [None, value]      evaluated, for ever; `value` is never a thunk
    [failed, error]    failed, for ever; `failed(thunk)` raises the kept error again
    [foreseen, ...]    failed for a helper that was ahead (`values.walk`): failed for everybody once the
                       evaluation itself comes to it, suspended again if it does not

So forcing is one expression, which hot places write out:

    if type(v) is list: v = v[1] if v[0] is None else v[0](v)

A cancellation, an internal error, or a mistake that is not lasting (a stack overflow) puts a
thunk back into the state it came from: see `leave`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar, cast

from greenlet import getcurrent

from aionix.errors import InternalError, NixError
from aionix.source import SourceMap

if TYPE_CHECKING:
    from aionix.values.walk import Walk, Walks

Value: TypeAlias = object
Thunk: TypeAlias = list[object]
Entry: TypeAlias = Callable[[Thunk], Value]
T = TypeVar("T")


class Account(Protocol):
    """What an evaluation may use."""

    def need(self, size: int) -> None:
        """Something of about `size` bytes is to be made; raises MemoryExceeded."""


class Running(Protocol):
    """What knows the run that is running."""

    @property
    def run(self) -> object: ...


class Run(Protocol):
    """An evaluation in progress: the identity that blackholes remember."""

    walks: Walks
    #: The walk that this run is ahead of, if it is a helper.
    ahead_of: Walk | None

    @property
    def sources(self) -> SourceMap: ...
    @property
    def account(self) -> Account: ...
    @property
    def machine(self) -> Running: ...

    def in_turn(self) -> bool:
        """Would what happens now happen now without helpers, too? Somebody who is none waits for it."""


class Fiber(Protocol):
    """What values may ask of the fiber they run on (`aionix.vm.fiber` has the real one)."""

    @property
    def run(self) -> Run: ...

    def suspend(self, awaitable: Awaitable[T]) -> T:
        """Lets the event loop await, and returns what came out; Python's stack stays as it is."""

    def wait_for(self, thunk: Thunk) -> Value:
        """Waits until another run is done with `thunk`, or raises InfiniteRecursion."""

    def checkpoint(self) -> None:
        """Gives the event loop a turn if this fiber has had its few milliseconds."""

    def mark(self) -> int:
        """The call depth here, for `unwind`."""

    def unwind(self, mark: int) -> None:
        """To be called by whoever catches an error: the call depth is what it was at `mark`."""

    def copy_to_store(self, path: str) -> str:
        """The store path, as a string with its context, of the file or tree at `path`."""


def current_fiber() -> Fiber:
    """The fiber this code runs on."""
    try:
        return getcurrent().fiber  # type: ignore[attr-defined, no-any-return]  # set by vm.fiber
    except AttributeError:
        raise InternalError("a value was forced outside an evaluation") from None


def force(value: Value) -> Value:
    """The value itself, evaluated to its outermost constructor (weak head normal form).

    Only for code that runs in a fiber (plain `def` builtins, the interpreter); a coroutine
    awaits `aionix.vm.requests.force` instead.
    """
    if type(value) is list:
        return value[1] if value[0] is None else value[0](value)
    return value


def evaluated(value: Value) -> Value:
    """Looks through a thunk that has its value; any other thunk comes back as it is."""
    if type(value) is list and value[0] is None:
        return value[1]
    return value


def blackhole(thunk: Thunk) -> Value:
    """The entry of a thunk that is being forced."""
    return current_fiber().wait_for(thunk)


def failed(thunk: Thunk) -> Value:
    """The entry of a thunk that failed: everyone who asks gets the same error."""
    raise cast(NixError, thunk[1]).snapshot()


def foreseen(thunk: Thunk) -> Value:
    """The entry of a thunk that failed ahead of its turn."""
    error, *_ = cast(tuple[NixError, Entry, Value], thunk[1])
    if current_fiber().run.in_turn():
        thunk[0], thunk[1] = failed, error
    raise error.snapshot()


def forget(thunk: Thunk) -> None:
    """What was foreseen, and did not come, has not happened."""
    if thunk[0] is foreseen:
        _, thunk[0], thunk[1] = cast(tuple[NixError, Entry, Value], thunk[1])


def begun(thunk: Thunk) -> bool:
    """Has somebody begun to force `thunk`, or tried?"""
    return thunk[0] is blackhole or thunk[0] is failed or thunk[0] is foreseen or thunk[0] is None


def leave(thunk: Thunk, entry: Entry, payload: Value, error: BaseException) -> None:
    """The way out of an entry that `error` ends: the thunk has failed, or is what it was before."""
    if not (isinstance(error, NixError) and error.lasting):
        thunk[0], thunk[1] = entry, payload
        return
    run = cast(Run, thunk[1])
    if run.ahead_of is None or run.in_turn():
        thunk[0], thunk[1] = failed, error.snapshot()
    else:
        thunk[0], thunk[1] = foreseen, (error.snapshot(), entry, payload)
        run.ahead_of.foresee([thunk])


class _Here:
    """Asks the fiber that the code is on."""

    @property
    def run(self) -> object:
        return current_fiber().run


_HERE = _Here()


def entry_of(compute: Callable[[T], Value], running: Running = _HERE) -> Entry:
    """The entry of thunks whose value Python code computes from their payload.

    `compute` may force and call; it returns an evaluated value.
    """

    def entry(thunk: Thunk) -> Value:
        payload = thunk[1]
        thunk[0] = blackhole
        thunk[1] = running.run
        try:
            value = compute(payload)  # type: ignore[arg-type]  # a cast would take as long as the call
        except BaseException as error:
            leave(thunk, entry, payload, error)
            raise
        thunk[1] = value
        thunk[0] = None
        return value

    return entry


def native(compute: Callable[[T], Value]) -> Callable[[T], Thunk]:
    """Makes thunks: `make = native(compute)`, then `make(payload)` is a thunk for `compute(payload)`."""
    entry = entry_of(compute)
    return lambda payload: [entry, payload]
