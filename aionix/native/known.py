"""What can be known of a function before it is called: its chain of parameters.

`a: b: e` called with both arguments is one call of the innermost code.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from types import MethodType
from typing import NamedTuple, TypeAlias, cast

from aionix.bytecode.chunk import Lambda, decode
from aionix.bytecode.opcodes import Op, Position
from aionix.values.thunk import Value, evaluated
from aionix.vm.engine import FunctionUnit


class Link(NamedTuple):
    """A function that makes the next one: where it gets that one's upvalues from."""

    positions: tuple[Position, ...]


class Known(NamedTuple):
    """A closure that a variable has always been so far, as seen from a call with `count` arguments.

    `first` has its own body and `unit` the innermost one; `links` lead to it.
    """

    closure: MethodType
    first: FunctionUnit
    unit: FunctionUnit
    links: tuple[Link, ...]


def known_function(value: Value, count: int) -> Known | None:
    """What is known of `value`, a function that is to be called with `count` arguments."""
    closure = evaluated(value)
    if type(closure) is not MethodType:
        return None
    unit = unit_of(closure.__func__)
    if unit is None:
        return None
    first = unit
    links: list[Link] = []
    while len(links) + 1 < count:
        made = made_by(unit)
        if made is None:
            return None
        links.append(made.link)
        unit = made.unit
    return Known(closure, first, unit, tuple(links))


def unit_of(function: object) -> FunctionUnit | None:
    """The unit behind the function of a closure."""
    unit: FunctionUnit | None = getattr(function, "unit", None)
    return unit


#: Some of the upvalues of a closure.
Some: TypeAlias = Callable[[tuple[Value, ...]], tuple[Value, ...]]


class Made(NamedTuple):
    """The function that another one makes, when that is all it does.

    It takes along those of the other's upvalues that `before` and `after` give, and between them the
    argument; `after` is None if it does not take that.
    """

    unit: FunctionUnit
    link: Link
    before: Some
    after: Some | None


def made_by(unit: FunctionUnit) -> Made | None:
    """What `unit` makes, if that is all it does."""
    if unit.made is None:
        unit.made = _made_by(unit) or ()
    return unit.made or None  # type: ignore[return-value]  # nobody else knows what it is


def _made_by(unit: FunctionUnit) -> Made | None:
    code = unit.code
    first = decode(code.chunk, 0)
    if code.formals is not None or first.op is not Op.CLOSURE or code.chunk.code[first.end] != Op.RETURN:
        return None
    if first.captures_with or any([position.is_deferred for position in first.positions]):
        return None
    made = unit_of(unit.body(cast(Lambda, code.chunk.constants[first.arg])))
    if made is None:
        return None
    taken = [position.index if position.is_upvalue else -1 for position in first.positions]
    at = taken.index(-1) if -1 in taken else len(taken)
    after = _some(taken[at + 1 :]) if at < len(taken) else None
    return Made(made, Link(first.positions), _some(taken[:at]), after)


def _some(indexes: list[int]) -> Some:
    """Takes what is at `indexes`; most often that is in a row."""
    start = indexes[0] if indexes else 0
    if indexes == [*range(start, start + len(indexes))]:
        return itemgetter(slice(start, start + len(indexes)))
    return itemgetter(*indexes)


#: The function that a closure makes, and what that takes along: before the closure's argument, and after it;
#: None if it does not take that. (A plain tuple: a named one takes 200 ns more to make.)
Inner: TypeAlias = tuple[FunctionUnit, tuple[Value, ...], tuple[Value, ...] | None]


def inner_of(function: Value) -> Inner | None:
    """What `function` makes; None if that is not all it does."""
    if type(function) is not MethodType:
        return None
    unit: FunctionUnit = function.__func__.unit  # type: ignore[attr-defined]
    made: Made | tuple[()] | None = made_by(unit) if unit.made is None else unit.made  # type: ignore[assignment]
    if not made:
        return None
    outer: tuple[Value, ...] = function.__self__  # type: ignore[assignment]
    inner, _, before, after = made
    return inner, before(outer), None if after is None else after(outer)


def applier(closure: MethodType) -> Callable[[Value, Value], Value] | None:
    """`closure` as a Python function of its first two arguments; None if it does more than wait for both."""
    inner = inner_of(closure)
    if inner is None:
        return None
    unit, before, after = inner
    body = unit.function
    if after is None:
        return lambda first, second: body(before, second)
    return lambda first, second: body((*before, first, *after), second)
