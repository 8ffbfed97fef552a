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
        return _checked(left + right, "adding", left, "+", right)
    first, second = _floats(left, right)
    return first + second


def subtract(left: Value, right: Value) -> int | float:
    """`left - right`, both evaluated."""
    if type(left) is int and type(right) is int:
        return _checked(left - right, "subtracting", left, "-", right)
    first, second = _floats(left, right)
    return first - second


def multiply(left: Value, right: Value) -> int | float:
    """`left * right`, both evaluated."""
    if type(left) is int and type(right) is int:
        return _checked(left * right, "multiplying", left, "*", right)
    first, second = _floats(left, right)
    return first * second


def divide(left: Value, right: Value) -> int | float:
    """`left / right`, both evaluated. Integers round towards zero."""
    if type(right) is not int and type(right) is not float:
        raise type_error("a float", right)
    if right == 0:
        raise DivisionByZero("division by zero")
    if type(left) is int and type(right) is int:
        quotient = abs(left) // abs(right)
        quotient = quotient if (left < 0) == (right < 0) else -quotient
        return _checked(quotient, "dividing", left, "/", right)
    first, second = _floats(left, right)
    return first / second


def negate(value: Value) -> int | float:
    """`-value`, which is `0 - value`: the negation of 0.0 has no sign."""
    return subtract(0, value)


def _checked(result: int, doing: str, left: int, sign: str, right: int) -> int:
    if INT_MIN <= result <= INT_MAX:
        return result
    raise _overflow(doing, left, sign, right)


def _overflow(doing: str, left: Value, sign: str, right: Value) -> IntegerOverflow:
    return IntegerOverflow(f"integer overflow in {doing} {left} {sign} {right}")


def _floats(left: Value, right: Value) -> tuple[float, float]:
    """Both as floats. Raises `TypeMismatch`, which asks for a float if the other one is a float."""
    wanted = "a float" if type(left) is float or type(right) is float else "an integer"
    return _as_float(left, wanted), _as_float(right, wanted)


def _as_float(value: Value, wanted: str) -> float:
    if type(value) is int or type(value) is float:
        return float(value)
    raise type_error(wanted, value)
