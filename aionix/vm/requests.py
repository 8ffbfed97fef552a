"""What a coroutine builtin may ask of the evaluator.

These are the only functions here that yield to the frame loop; everything else that a
coroutine awaits (anyio, EvalIO) goes up to the event loop untouched. Plain `def` builtins do
not need them: they run in a fiber and use `values.force` and `values.call` directly.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import TypeVar, cast

from aionix.values.functions import call as call_value
from aionix.values.thunk import Value
from aionix.values.thunk import force as force_value
from aionix.values.walk import begin, end

T = TypeVar("T")


@dataclass(slots=True)
class InFiber:
    """Run `function()` as a new fiber on top of the asking frame; answer its result.

    A coroutine asks for what it wants evaluated, a fiber for what is too deep for it.
    """

    function: Callable[[], object]

    def __await__(self) -> Generator[object, object, object]:
        return (yield self)


async def in_fiber(function: Callable[[], T]) -> T:
    """The result of `function`, which may force, call and be suspended like any Nix code."""
    return cast(T, await InFiber(function))


async def force(value: Value) -> Value:
    """`value`, evaluated to its outermost constructor."""
    if type(value) is not list:
        return value
    if value[0] is None:
        return value[1]
    return await in_fiber(lambda: force_value(value))


async def call(function: Value, argument: Value) -> Value:
    """`function argument`, evaluated."""
    return await in_fiber(lambda: call_value(function, argument))


async def force_all(values: Iterable[Value]) -> list[Value]:
    """All the values, evaluated in order; their waits for IO overlap."""
    return await in_fiber(lambda: _forced(tuple(values)))


def _forced(values: tuple[Value, ...]) -> list[Value]:
    walks = begin([iter(values)])
    try:
        return [force_value(value) for value in values]
    finally:
        end(walks)
