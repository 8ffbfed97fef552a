"""What kinds of values there are, their names in messages, and the checks by kind."""

from __future__ import annotations

from types import MethodType, NoneType

from aionix.errors import InternalError, TypeMismatch
from aionix.values.attrs import AttrSet
from aionix.values.functions import Builtin, PartialApplication
from aionix.values.paths import Path
from aionix.values.strings import ContextString

# type -> (what `typeOf` says, what error messages say)
_NAMES: dict[type, tuple[str, str]] = {
    int: ("int", "an integer"),
    float: ("float", "a float"),
    bool: ("bool", "a Boolean"),
    NoneType: ("null", "null"),
    str: ("string", "a string"),
    ContextString: ("string", "a string with context"),
    Path: ("path", "a path"),
    AttrSet: ("set", "a set"),
    tuple: ("list", "a list"),
    MethodType: ("lambda", "a function"),
    Builtin: ("lambda", "a built-in function"),
    PartialApplication: ("lambda", "a partially applied built-in function"),
}


def _names(value: object) -> tuple[str, str]:
    try:
        return _NAMES[type(value)]
    except KeyError:
        raise InternalError(f"{type(value).__name__} is not a Nix value") from None


def type_of(value: object) -> str:
    """The answer of `builtins.typeOf`; `value` is evaluated."""
    return _names(value)[0]


def kind_of(value: object) -> str:
    """The kind with its article, as error messages say it: `a set`, `the built-in function 'map'`."""
    if isinstance(value, Builtin):
        return f"the built-in function '{value.name}'"
    if isinstance(value, PartialApplication):
        return f"the partially applied built-in function '{value.builtin.name}'"
    return _names(value)[1]


#: Closures, builtins and partial applications; not functors.
FUNCTIONS = frozenset({MethodType, Builtin, PartialApplication})


def is_function(value: object) -> bool:
    """Is `value`, evaluated, one of the FUNCTIONS?"""
    return type(value) in FUNCTIONS


def type_error(expected: str, value: object) -> TypeMismatch:
    """`expected a list but found an integer: 1`; `expected` has its article."""
    from aionix.values.printing import brief

    return TypeMismatch(f"expected {expected} but found {kind_of(value)}: {brief(value)}")
