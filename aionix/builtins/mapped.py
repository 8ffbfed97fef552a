"""`concatLists (map f list)`, and others that ask a list for all its elements: without the list.

That is how nixpkgs writes much of its code. Compiled code calls the way that is registered here
(`Builtin.of_map`): it calls the function for one element after the other, where `map` would make a thunk of
each, which takes as long again. What can be seen is the same: order, errors and traces.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import TypeAlias

from greenlet import getcurrent

from aionix.builtins.loops import delayed_calls, unary
from aionix.builtins.registry import OF_MAP, expect_function, expect_list, expect_str
from aionix.errors import NixError
from aionix.values.functions import calling
from aionix.values.thunk import Value
from aionix.values.walk import FEW

#: What makes an element of what `map` was given; None if that is an element already, or a thunk.
Apply: TypeAlias = Callable[[Value], Value] | None

_MAP = calling("map")


#: A builtin that is given the arguments of `map` instead of its list.
Way: TypeAlias = Callable[[Value, Value], Value]


def consumes_map(name: str, consume: Callable[[tuple[Value, ...], Apply], Value]) -> None:
    """Registers how `builtins.<name>`, which takes a list, walks through what `map` would give."""
    OF_MAP[name] = _way(calling(name), consume)


def consumes_map_after_string(
    name: str, consume: Callable[[str, tuple[Value, ...], Apply], Value]
) -> None:
    """As `consumes_map`, for a builtin that takes a string before the list."""
    frame = calling(name)

    def run(text: Value, function: Value, values: Value) -> Value:
        try:
            first = text if type(text) is str else expect_str(text)
        except NixError as error:
            error.add_frame(frame)
            raise
        # (A `partial` would be a C frame, and this nests as deep as the program likes.)
        return _way(frame, lambda elements, apply: consume(first, elements, apply))(function, values)

    OF_MAP[name] = run


def _way(frame: str, consume: Callable[[tuple[Value, ...], Apply], Value]) -> Way:
    def run(function: Value, values: Value) -> Value:
        called, elements = _arguments(function, values)
        try:
            if len(elements) > FEW and _is_helped():
                return consume(delayed_calls(called, elements), None)
            return consume(elements, called if type(called) is MethodType else unary(called))
        except NixError as error:
            error.add_frame(frame)
            raise

    return run


def _arguments(function: Value, values: Value) -> tuple[Value, tuple[Value, ...]]:
    """What `map` makes of its arguments."""
    try:
        if type(values) is list:
            values = values[1] if values[0] is None else values[0](values)
        elements = values if type(values) is tuple else expect_list(values)
        if not elements:
            return None, elements
        if type(function) is list:
            function = function[1] if function[0] is None else function[0](function)
        return (function if type(function) is MethodType else expect_function(function)), elements
    except NixError as error:
        error.add_frame(_MAP)
        raise


def _is_helped() -> bool:
    """May others force what comes next, while this evaluation waits (`values.walk`)? They need thunks."""
    helped: bool = getcurrent().fiber.run.machine.helped  # type: ignore[attr-defined]  # set by vm.fiber
    return helped
