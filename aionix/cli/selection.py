"""`-A`, `--arg`: which part of a value is meant, and functions that are called to get there.

Runs inside a fiber, as it forces and calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MethodType

from aionix.bytecode.chunk import Formals, Lambda
from aionix.errors import IndexOutOfBounds, MissingArgument, MissingAttribute, NixError, TypeMismatch
from aionix.value import split_attr_path
from aionix.values.attrs import AttrSet
from aionix.values.functions import call
from aionix.values.kinds import kind_of
from aionix.values.thunk import Value, force
from aionix.vm.operations import suggestion


def select(value: Value, path: str, arguments: Mapping[str, Value]) -> Value:
    """What `-A path` means in `value`: functions on the way are called, numbers index lists."""
    for name in split_attr_path(path):
        value = auto_call(value, arguments)
        if name.isdecimal():
            value = force(_element(value, name, path))
        else:
            value = force(_attribute(value, name, path))
    return force(value)


def _element(value: Value, digits: str, path: str) -> Value:
    if type(value) is not tuple:
        raise TypeMismatch(_should_be(path, "a list", value))
    index = int(digits) if len(digits) < 20 else len(value)
    if index >= len(value):
        raise IndexOutOfBounds(f"list index {digits} in selection path '{path}' is out of range")
    return value[index]


def _attribute(value: Value, name: str, path: str) -> Value:
    if type(value) is not AttrSet:
        raise TypeMismatch(_should_be(path, "a set", value))
    if not name:
        raise NixError(f"empty attribute name in selection path '{path}'")
    if name not in value:
        message = f"attribute '{name}' in selection path '{path}' not found"
        raise MissingAttribute(message, hint=suggestion(name, list(value)))
    return value[name]


def _should_be(path: str, wanted: str, value: Value) -> str:
    found = kind_of(value)
    return f"the expression selected by the selection path '{path}' should be {wanted} but is {found}"


def auto_call(value: Value, arguments: Mapping[str, Value]) -> Value:
    """`value`, forced; a function of named arguments is called with those of `arguments` it takes.

    Raises MissingArgument if it needs another one (Nix manual, `nix-instantiate --arg`).
    """
    value = force(value)
    if type(value) is AttrSet and "__functor" in value:
        return auto_call(call(force(value["__functor"]), value), arguments)
    formals = _formals(value)
    if formals is None:
        return value
    taken = dict(arguments) if formals.ellipsis else {}
    for name, has_default in formals.names.items():
        if name in arguments:
            taken[name] = arguments[name]
        elif not has_default:
            raise MissingArgument(
                f"cannot evaluate a function that has an argument without a value ('{name}')",
                hint=f"give it one: --arg {name} EXPRESSION, or --argstr {name} TEXT",
            )
    return force(call(value, AttrSet(taken)))


def _formals(value: Value) -> Formals | None:
    code = getattr(value.__func__, "code", None) if type(value) is MethodType else None
    return code.formals if isinstance(code, Lambda) else None
