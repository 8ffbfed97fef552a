"""What builtins that walk long lists share: fair stretches and quick calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from types import MethodType
from typing import TypeVar

from greenlet import getcurrent

from aionix.native.known import applier
from aionix.values.functions import Builtin, PartialApplication, call, call2
from aionix.values.limits import checkpoint
from aionix.values.thunk import Entry, Fiber, Value, entry_of

S = TypeVar("S")
T = TypeVar("T")

#: Elements between two looks at the clock: 1 to 4 ms of work that calls no Nix code.
STRETCH = 4096
#: Elements for which it does not pay to make an entry of their own.
SHORT = 16


def stretches(values: Sequence[S]) -> Iterable[Sequence[S]]:
    """`values` in stretches; the event loop may have a turn after each but the last."""
    return (values,) if len(values) <= STRETCH else _pausing(values)


def _pausing(values: Sequence[S]) -> Iterator[Sequence[S]]:
    # A generator, but nothing is forced inside it: its C frame is there for the pause only.
    yield values[:STRETCH]
    for start in range(STRETCH, len(values), STRETCH):
        checkpoint()
        yield values[start : start + STRETCH]


def unary(function: Value) -> Callable[[Value], Value]:
    """The quickest way to call `function`, evaluated, with one argument again and again."""
    if type(function) is MethodType:
        return function
    if type(function) is Builtin and function.arity == 1:
        return function.run
    if type(function) is PartialApplication and function.builtin.arity == 2:
        run, first = function.builtin.run, function.arguments[0]
        return lambda argument: run(first, argument)
    return lambda argument: call(function, argument)


def binary(function: Value) -> Callable[[Value, Value], Value]:
    """The quickest way to call `function`, evaluated, with two arguments again and again."""
    if type(function) is Builtin and function.arity == 2:
        return function.run
    if type(function) is not MethodType:
        return lambda first, second: call2(function, first, second)
    return applier(function) or _in_two_steps(function)


def _in_two_steps(function: MethodType) -> Callable[[Value, Value], Value]:
    def apply(first: Value, second: Value) -> Value:
        partial = function(first)
        return partial(second) if type(partial) is MethodType else call(partial, second)

    return apply


def entry_for(compute: Callable[[T], Value]) -> Entry:
    """The entry of thunks, of which a builtin makes many, for `compute(payload)`.

    The machine knows the run, which is quicker than asking for the fiber each time.
    """
    fiber: Fiber | None = getattr(getcurrent(), "fiber", None)
    return entry_of(compute) if fiber is None else entry_of(compute, fiber.run.machine)


def delayed_calls(function: Value, values: Sequence[Value]) -> tuple[Value, ...]:
    """A thunk for each value, of the call of `function`, evaluated, with it."""
    if type(function) is MethodType and len(values) < SHORT:
        applied, upvalues = function.__func__.unit.applied, function.__self__  # type: ignore[attr-defined]
        return tuple([[applied, (upvalues, value)] for value in values])
    enter = entry_for(unary(function))
    result: list[Value] = []
    for stretch in stretches(values):
        result += [[enter, value] for value in stretch]
    return tuple(result)
