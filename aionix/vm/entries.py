"""The functions behind thunks and closures, and the names that compiled code finds around it.

What a thunk holds, or a closure is bound from, is one Python function for as long as the evaluation
lives: when its code has run often enough, the function's `__code__` is replaced by compiled code, and
every thunk and closure there is runs that from then on, with nothing to look up or to patch. So
both kinds of code have one free variable, `unit`, and this module's globals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import CellType, CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING

from aionix.errors import NixError
from aionix.values.arithmetic import add, concatenate_lists, divide, multiply, negate, subtract
from aionix.values.attrs import AttrSet, update
from aionix.values.coercion import coerce_to_string
from aionix.values.equality import equal
from aionix.values.functions import PartialApplication, call, call2
from aionix.values.kinds import FUNCTIONS
from aionix.values.ordering import less_than
from aionix.values.paths import Path
from aionix.values.strings import join
from aionix.values.thunk import Entry, Thunk, Value, blackhole, current_fiber, force, leave
from aionix.vm.interpreter import run
from aionix.vm.operations import (
    NOT_FOUND,
    attribute_name,
    build_dynamic,
    check_formals,
    closed,
    fail_assertion,
    has_attribute,
    home_path,
    not_a,
    not_there,
    resolve_with,
    try_select,
    update_sets,
)

if TYPE_CHECKING:
    from aionix.vm.engine import FunctionUnit, ThunkUnit
    from aionix.vm.machine import Machine

#: What compiled code may name.
__all__ = [
    "FUNCTIONS", "NOT_FOUND", "AttrSet", "MethodType", "NixError", "PartialApplication", "Path", "add",
    "attribute_name", "blackhole", "build_dynamic", "call", "call2", "check_formals", "closed",
    "coerce_to_string", "concatenate_lists", "current_fiber", "divide", "equal", "fail_assertion", "force",
    "has_attribute", "home_path", "join", "less_than", "multiply", "negate", "not_a", "not_there",
    "resolve_with", "subtract", "try_select", "update", "update_sets",
]  # fmt: skip


def thunk_entry(unit: ThunkUnit) -> Entry:
    """What a thunk of `unit` holds while it is suspended; its payload are the upvalues."""

    def enter(thunk: Thunk) -> Value:
        machine = unit.machine
        machine.ticks -= 1
        if machine.ticks < 0:
            current_fiber().checkpoint()
            if thunk[0] is not unit.function:  # another run has been here meanwhile
                return force(thunk)
        unit.fuel -= 1
        upvalues: tuple[Value, ...] = thunk[1]  # type: ignore[assignment]  # a cast would take time
        if unit.fuel < 0 and unit.compile(upvalues):
            return unit.function(thunk)
        thunk[0], thunk[1] = blackhole, machine.run
        try:
            value = run(unit.decoded or unit.decode(upvalues), upvalues, [])
        except BaseException as error:
            unit.leave(thunk, upvalues, error)
            raise
        thunk[1] = value
        thunk[0] = None
        return value

    return enter


def function_entry(unit: FunctionUnit) -> Callable[[tuple[Value, ...], Value], Value]:
    """What a closure of `unit` is bound from: `enter(upvalues, argument)`."""

    def enter(upvalues: tuple[Value, ...], argument: Value) -> Value:
        machine = unit.machine
        depth = machine.depth
        if depth >= machine.limit:
            return unit.deeper(upvalues, argument)
        machine.ticks -= 1
        if machine.ticks < 0:
            current_fiber().checkpoint()
        unit.fuel -= 1
        if unit.fuel < 0 and unit.compile(upvalues):
            return unit.function(upvalues, argument)
        machine.depth = depth + 1
        try:
            value = run(unit.decoded or unit.decode(upvalues), upvalues, [argument])
        except NixError as error:
            unit.leave(error)
            raise
        machine.depth = depth
        return value

    return enter


def applied_entry(body: Callable[[tuple[Value, ...], Value], Value], machine: Machine) -> Entry:
    """What a thunk of a call holds: its payload are the upvalues and the argument.

    As `entry_of`, with the call written out: a frame less for every element of a `map`.
    """

    def enter(thunk: Thunk) -> Value:
        call: tuple[tuple[Value, ...], Value] = thunk[1]  # type: ignore[assignment]
        thunk[0] = blackhole
        thunk[1] = machine.run
        try:
            value = body(call[0], call[1])
        except BaseException as error:
            leave(thunk, enter, call, error)
            raise
        thunk[1] = value
        thunk[0] = None
        return value

    return enter


def entry_with(unit: ThunkUnit, code: CodeType, defaults: tuple[object, ...]) -> Entry:
    """As `thunk_entry`, of compiled code."""
    return FunctionType(code, globals(), "enter", defaults, (CellType(unit),))


def late_entry(
    arrived: Callable[[int], Entry], entries: Mapping[int, Entry]
) -> Callable[[int, Thunk], Value]:
    """What thunks hold, bound to the place of their code, as long as that has no unit. What is in `entries`
    need not be asked for."""

    def enter(offset: int, thunk: Thunk) -> Value:
        entry = entries.get(offset)
        if entry is None:
            entry = arrived(offset)
        thunk[0] = entry
        return entry(thunk)

    return enter
