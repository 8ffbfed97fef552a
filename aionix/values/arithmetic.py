"""The operators `+ - * /` and unary minus.

Integers have 64 bits and overflow is an error; an integer that meets a float becomes one.
"""

from __future__ import annotations

from aionix.errors import ContextError, DivisionByZero, IntegerOverflow, TypeMismatch
from aionix.values.coercion import coerce_to_string
from aionix.values.kinds import kind_of, type_error
from aionix.values.limits import LARGE, check_list, check_string
from aionix.values.numbers import INT_MAX, INT_MIN
from aionix.values.paths import Path, clean
from aionix.values.strings import ContextString, join, normal
from aionix.values.thunk import Value


def add(left: Value, right: Value) -> Value:
    """`left + right`, both evaluated. The left operand decides: number, path, else string."""
    kind = type(left)
    if kind is int and type(right) is int:
        result = left + right  # type: ignore[operator]  # mypy does not follow `kind`
        if INT_MIN <= result <= INT_MAX:
            return result
        raise _overflow("adding", left, "+", right)
    if kind is str and type(right) is str:
        return concatenate(left, right)  # type: ignore[arg-type]
    if kind is int or kind is float:
        if type(right) is int or type(right) is float:
            return float(left) + right  # type: ignore[arg-type]
        raise TypeMismatch(f"cannot add {kind_of(right)} to {kind_of(left)}")
    if kind is Path:
        return _append(left.text, coerce_to_string(right, copy=False))  # type: ignore[attr-defined]
    copy = isinstance(left, str)
    head = coerce_to_string(left, copy=False)
    return join((head, coerce_to_string(right, copy=copy)))


def concatenate(left: str, right: str) -> str:
    """Two strings without context in a row."""
    if len(left) + len(right) > LARGE:
        check_string(len(left) + len(right), (left, right))
    result = left + right
    # Lone bytes on both sides of the seam may make a character.
    if left and right and "\udc80" <= left[-1] <= "\udcff" and "\udc80" <= right[0] <= "\udcff":
        return normal(result)
    return result


def _append(path: str, text: str) -> Path:
    if type(text) is ContextString:
        raise ContextError("a string that refers to a store path cannot be appended to a path")
    return Path(clean(concatenate(path, text)))


def concatenate_lists(left: Value, right: Value) -> tuple[Value, ...]:
    """`left ++ right`, both evaluated."""
    if type(left) is not tuple:
        raise type_error("a list", left)
    if type(right) is not tuple:
        raise type_error("a list", right)
    if 8 * (len(left) + len(right)) > LARGE:
        check_list(len(left) + len(right))
    return left + right


def add_numbers(left: Value, right: Value) -> int | float:
    """`builtins.add`: `+`, for numbers only."""
    if type(left) is int and type(right) is int:
        result = left + right
        if INT_MIN <= result <= INT_MAX:
            return result
        raise _overflow("adding", left, "+", right)
    _expect_numbers(left, right)
    return left + right  # type: ignore[operator, no-any-return]


def subtract(left: Value, right: Value) -> int | float:
    """`left - right`, both evaluated."""
    if type(left) is int and type(right) is int:
        result = left - right
        if INT_MIN <= result <= INT_MAX:
            return result
        raise _overflow("subtracting", left, "-", right)
    _expect_numbers(left, right)
    return left - right  # type: ignore[operator, no-any-return]


def multiply(left: Value, right: Value) -> int | float:
    """`left * right`, both evaluated."""
    if type(left) is int and type(right) is int:
        result = left * right
        if INT_MIN <= result <= INT_MAX:
            return result
        raise _overflow("multiplying", left, "*", right)
    _expect_numbers(left, right)
    return left * right  # type: ignore[operator, no-any-return]


def divide(left: Value, right: Value) -> int | float:
    """`left / right`, both evaluated. Integers round towards zero."""
    if type(right) is not int and type(right) is not float:
        raise type_error("a float", right)
    if right == 0:
        raise DivisionByZero("division by zero")
    if type(left) is int and type(right) is int:
        quotient = abs(left) // abs(right)
        quotient = quotient if (left < 0) == (right < 0) else -quotient
        if quotient > INT_MAX:
            raise _overflow("dividing", left, "/", right)
        return quotient
    _expect_numbers(left, right)
    return left / right  # type: ignore[operator]


def negate(value: Value) -> int | float:
    """`-value`, which is `0 - value`: the negation of 0.0 has no sign."""
    return subtract(0, value)


def _overflow(doing: str, left: Value, sign: str, right: Value) -> IntegerOverflow:
    return IntegerOverflow(f"integer overflow in {doing} {left} {sign} {right}")


_NUMBERS = frozenset({int, float})


def _expect_numbers(left: Value, right: Value) -> None:
    """Raises `TypeMismatch`, which asks for a float if the other one is a float."""
    for value in (left, right):
        if type(value) not in _NUMBERS:
            raise type_error("a float" if float in (type(left), type(right)) else "an integer", value)
