"""Questions about a value: what kind it is, and what a function takes."""

from __future__ import annotations

from types import MethodType

from aionix.builtins.registry import builtin
from aionix.bytecode.chunk import Formals
from aionix.errors import TypeMismatch
from aionix.values.attrs import AttrSet
from aionix.values.kinds import is_function as is_function_value
from aionix.values.kinds import type_of as kind
from aionix.values.paths import Path
from aionix.values.thunk import Value


@builtin("typeOf")
def type_of(value: Value) -> str:
    """The name of the value's type: `"int"`, `"bool"`, `"string"`, `"path"`, `"null"`, `"set"`,
    `"list"`, `"lambda"` or `"float"`."""
    return kind(value)


@builtin("isAttrs")
def is_attrs(value: Value) -> bool:
    """Whether the value is an attribute set."""
    return type(value) is AttrSet


@builtin("isBool")
def is_bool(value: Value) -> bool:
    """Whether the value is a Boolean."""
    return type(value) is bool


@builtin("isFloat")
def is_float(value: Value) -> bool:
    """Whether the value is a floating-point number."""
    return type(value) is float


@builtin("isFunction")
def is_function(value: Value) -> bool:
    """Whether the value is a function. A set with `__functor` is not."""
    return is_function_value(value)


@builtin("isInt")
def is_int(value: Value) -> bool:
    """Whether the value is an integer."""
    return type(value) is int


@builtin("isList")
def is_list(value: Value) -> bool:
    """Whether the value is a list."""
    return type(value) is tuple


@builtin("isNull")
def is_null(value: Value) -> bool:
    """Whether the value is `null`; the same as `value == null`."""
    return value is None


@builtin("isPath")
def is_path(value: Value) -> bool:
    """Whether the value is a path."""
    return type(value) is Path


@builtin("isString")
def is_string(value: Value) -> bool:
    """Whether the value is a string."""
    return isinstance(value, str)


@builtin("functionArgs")
def function_args(function: Value) -> Value:
    """A set with the names that the function's pattern asks for; each is `true` if it has a
    default. Empty for a function without a pattern."""
    if not is_function_value(function):
        raise TypeMismatch("'functionArgs' requires a function")
    if type(function) is not MethodType:
        return AttrSet()
    formals: Formals | None = function.code.formals  # type: ignore[attr-defined]  # a closure's Lambda
    if formals is None:
        return AttrSet()
    result = AttrSet(formals.names)
    result.positions = formals.spans
    return result
