"""What the interpreter does rarely, or at length: the instructions that are more than a line."""

from __future__ import annotations

from difflib import get_close_matches
from typing import NamedTuple, NoReturn, TypeAlias, cast

from aionix.bytecode.chunk import Lambda
from aionix.errors import (
    AssertionFailed,
    DuplicateAttribute,
    InternalError,
    MissingArgument,
    MissingAttribute,
    NotAvailable,
    UndefinedVariable,
    UnexpectedArgument,
)
from aionix.source import Span
from aionix.values.assertion import refuse_difference
from aionix.values.attrs import AttrSet, update
from aionix.values.kinds import type_error
from aionix.values.paths import Path, clean
from aionix.values.strings import refuse_context
from aionix.values.thunk import Thunk, Value
from aionix.vm.fiber import running

#: What `AttrsTrySelect` leaves when there is no such attribute; never seen by a program.
NOT_FOUND = object()


#: The namespaces of the `with`s around, innermost first.
Withs: TypeAlias = "tuple[Value, Withs] | None"


class Deferred(NamedTuple):
    """An upvalue that is not there yet: the local in `slot`, once it is filled."""

    slot: int


#: Characters of a name that is thought of as misspelt.
LONGEST_NAME = 100


def suggestion(name: str, known: list[str]) -> str | None:
    """A hint for a misspelt name, if there is a near one among `known` (the first thousand)."""
    # To compare two names takes time that grows with the product of their lengths.
    short = [other for other in known[:1000] if len(other) <= LONGEST_NAME]
    close = get_close_matches(name, short, n=3) if len(name) <= LONGEST_NAME else []
    if not close:
        return None
    return "did you mean " + " or ".join([f"'{candidate}'" for candidate in close]) + "?"


def missing_attribute(subject: AttrSet, name: str) -> MissingAttribute:
    return MissingAttribute(f"attribute '{name}' missing", hint=suggestion(name, list(subject)))


def not_there(subject: Value, name: str) -> NoReturn:
    """The error for an attribute that could not be selected."""
    if type(subject) is not AttrSet:
        raise type_error("a set", subject)
    raise missing_attribute(subject, name) from None


def not_a(what: str, value: Value) -> NoReturn:
    """The error for a value of the wrong type."""
    raise type_error(what, value)


def update_sets(left: Value, right: Value) -> AttrSet:
    """`left // right`, both evaluated."""
    if type(left) is not AttrSet:
        raise type_error("a set", left)
    if type(right) is not AttrSet:
        raise type_error("a set", right)
    return update(left, right)


def try_select(subject: Value, name: str) -> Value:
    """The attribute, not forced, or NOT_FOUND; what is no set has no attributes."""
    if type(subject) is AttrSet:
        return subject.get(name, NOT_FOUND)
    return NOT_FOUND


def has_attribute(subject: Value, name: str) -> bool:
    return type(subject) is AttrSet and name in subject


def attribute_name(value: Value) -> str:
    """A computed attribute name: a string without context."""
    if type(value) is str:
        return value
    if not isinstance(value, str):
        raise type_error("a string", value)
    refuse_context(value)
    return value


def build_dynamic(items: list[Value], spans: tuple[Span | None, ...]) -> AttrSet:
    """The set of these alternating names and values; a `null` name drops its value."""
    result = AttrSet()
    positions: dict[str, Span] = {}
    for index in range(0, len(items), 2):
        key = items[index]
        if key is None:
            continue
        name = attribute_name(key)
        if name in result:
            raise _defined_twice(name, positions.get(name))
        result[name] = items[index + 1]
        span = spans[index // 2]
        if span is not None:
            positions[name] = span
    result.positions = positions
    return result


def _defined_twice(name: str, first: Span | None) -> DuplicateAttribute:
    where = f" at {running().run.sources.describe(first)}" if first else ""
    return DuplicateAttribute(f"dynamic attribute '{name}' already defined{where}")


def check_formals(code: Lambda, argument: Value) -> None:
    """Refuses an argument set with a required attribute missing or one too many."""
    formals = code.formals
    if formals is None or type(argument) is not AttrSet:
        raise InternalError("a pattern was checked without one")
    who = f"'{code.name or 'anonymous lambda'}'"
    for name, has_default in formals.names.items():
        if not has_default and name not in argument:
            hint = suggestion(name, [given for given in argument if given not in formals.names])
            raise MissingArgument(f"function {who} called without required argument '{name}'", hint=hint)
    if not formals.ellipsis:
        for name in argument:
            if name not in formals.names:
                raise UnexpectedArgument(
                    f"function {who} called with unexpected argument '{name}'",
                    hint=suggestion(name, list(formals.names)),
                )


def closed(thunk: Thunk) -> Value:
    """The entry of a thunk around a function: it looks unevaluated, but no code has to run."""
    thunk[0] = None
    return thunk[1]


def finalise(stack: list[Value], index: int) -> None:
    """Fills in the deferred upvalues of the thunk or closure in slot `index`."""
    thunk = stack[index]
    if type(thunk) is not list or thunk[0] is None:  # an argument was given: nothing is deferred
        return
    if thunk[0] is closed:
        upvalues = thunk[1].__self__
        upvalues[:] = _filled(upvalues, stack)
    elif type(thunk[1]) is tuple:
        thunk[1] = tuple(_filled(thunk[1], stack))


def _filled(upvalues: list[Value] | tuple[Value, ...], stack: list[Value]) -> list[Value]:
    # What is captured of a function is its thunk, by whose identity `==` knows it again.
    return [stack[u.slot] if type(u) is Deferred else u for u in upvalues]


def resolve_with(name: str, withs: Withs) -> Value:
    """The variable `name` from the innermost `with` that has it."""
    while withs is not None:
        names, withs = withs
        if type(names) is list:
            names = names[1] if names[0] is None else names[0](names)
        if type(names) is not AttrSet:
            raise type_error("a set", names)
        if name in names:
            return names[name]
    raise UndefinedVariable(f"undefined variable '{name}'")


def home_path(text: Value) -> Path:
    """`~/...`"""
    home = running().run.host.io.get_env("HOME")
    if not home:
        raise NotAvailable("cannot resolve a path that begins with '~': no home directory is known")
    return Path(clean(home + "/" + cast(str, text)[2:]))


def fail_assertion(message: Value) -> NoReturn:
    """`message` may be a list: two values that should have been equal, and the message."""
    if type(message) is tuple:
        left, right, message = message
        refuse_difference(left, right)
    raise AssertionFailed(cast(str, message))
