"""Functions: closures, builtins, partial applications, and `call`.

A closure is a bound method `MethodType(body, upvalues)`: calling it with its argument is then
the fastest call that CPython has, for interpreted and for compiled code alike. `body.code` is
the `Lambda` it was made from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MethodType
from typing import TypeAlias

from aionix.errors import InternalError, NotCallable, StackOverflow
from aionix.values.attrs import AttrSet
from aionix.values.thunk import Value, force

Closure: TypeAlias = MethodType


@dataclass(slots=True, eq=False)
class Builtin:
    """A function written in Python. `run` takes exactly `arity` arguments, all of them lazy.

    `run` checks and forces them itself (`builtins.registry` writes that part), may force and
    call, and returns an evaluated value. It is always called from a fiber; for a builtin
    written as `async def` it suspends the fiber until the coroutine is done. `standard`: it is what Nix
    has under that name. `of_map`: as `run`, given a function and a list in place of a last argument that is
    `map function list`.
    """

    name: str
    arity: int
    run: Callable[..., Value]
    doc: str
    standard: bool = False
    of_map: Callable[..., Value] | None = None


def calling(builtin: str) -> str:
    """What traces say of a call."""
    return f"while calling the '{builtin}' builtin"


@dataclass(slots=True, eq=False)
class PartialApplication:
    """A builtin that waits for more arguments."""

    builtin: Builtin
    arguments: tuple[Value, ...]


def call(function: Value, argument: Value) -> Value:
    """`function argument`, evaluated. The argument may be a thunk and is not forced here."""
    if type(function) is list:
        function = function[1] if function[0] is None else function[0](function)
    kind = type(function)
    if kind is MethodType:
        return function(argument)  # type: ignore[operator]
    if kind is PartialApplication:
        builtin, arguments = function.builtin, function.arguments  # type: ignore[attr-defined]
        if builtin.arity == 2:
            return builtin.run(arguments[0], argument)
        if len(arguments) == 2:
            return builtin.run(arguments[0], arguments[1], argument)
        return _saturate(builtin, (*arguments, argument))
    if isinstance(function, Builtin):
        if function.arity == 1:
            return function.run(argument)
        return PartialApplication(function, (argument,))
    if isinstance(function, AttrSet) and "__functor" in function:
        return _call_functor(function, argument, 0)
    from aionix.values.kinds import kind_of
    from aionix.values.printing import brief

    raise NotCallable(
        f"attempt to call something which is not a function but {kind_of(function)}: {brief(function)}"
    )


#: Sets that may stand for each other as functions: as many as calls may nest in Nix.
MAX_FUNCTORS = 10_000


def _call_functor(subject: AttrSet, argument: Value, depth: int) -> Value:
    # Only closures count calls, and sets that refer to each other may never come to one.
    if depth > MAX_FUNCTORS:
        raise StackOverflow("stack overflow; max-call-depth exceeded")
    functor = force(subject["__functor"])
    if type(functor) is MethodType:
        bound = functor(subject)
        if type(bound) is MethodType:  # as good as always
            return bound(argument)
    elif isinstance(functor, AttrSet) and "__functor" in functor:
        bound = _call_functor(functor, subject, depth + 1)
    else:
        bound = call(functor, subject)
    if isinstance(bound, AttrSet) and "__functor" in bound:
        return _call_functor(bound, argument, depth + 1)
    return call(bound, argument)


def _saturate(builtin: Builtin, arguments: tuple[Value, ...]) -> Value:
    # Written out by arity: `run(*arguments)` would take a C frame and bound the depth of calls.
    if len(arguments) < builtin.arity:
        return PartialApplication(builtin, arguments)
    if builtin.arity == 2:
        return builtin.run(arguments[0], arguments[1])
    if builtin.arity == 3:
        return builtin.run(arguments[0], arguments[1], arguments[2])
    raise InternalError(f"builtin {builtin.name} of arity {builtin.arity}")


def call2(function: Value, first: Value, second: Value) -> Value:
    """`function first second`"""
    return call(call(function, first), second)
