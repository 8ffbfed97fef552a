"""Numbers."""

from __future__ import annotations

import math

from aionix.builtins.registry import builtin
from aionix.values import arithmetic
from aionix.values.kinds import type_error
from aionix.values.numbers import INT_MIN
from aionix.values.ordering import less_than
from aionix.values.thunk import Value


@builtin("add")
def add(left: Value, right: Value) -> Value:
    """The sum of two numbers. Unlike `+` it takes no strings or paths."""
    return arithmetic.add_numbers(left, right)


@builtin("sub")
def sub(left: Value, right: Value) -> Value:
    """The difference of two numbers, as `-` gives it."""
    return arithmetic.subtract(left, right)


@builtin("mul")
def mul(left: Value, right: Value) -> Value:
    """The product of two numbers, as `*` gives it."""
    return arithmetic.multiply(left, right)


@builtin("div")
def div(left: Value, right: Value) -> Value:
    """The quotient of two numbers, as `/` gives it: of integers, rounded towards zero.
    Division by zero is an error."""
    return arithmetic.divide(left, right)


@builtin("lessThan")
def less(left: Value, right: Value) -> bool:
    """Whether the first value is before the second, as `<` says: numbers by size, strings and
    paths by their bytes, lists by their first difference."""
    return less_than(left, right)


@builtin("bitAnd")
def bit_and(left: int, right: int) -> int:
    """The bitwise AND of two integers."""
    return left & right


@builtin("bitOr")
def bit_or(left: int, right: int) -> int:
    """The bitwise OR of two integers."""
    return left | right


@builtin("bitXor")
def bit_xor(left: int, right: int) -> int:
    """The bitwise XOR of two integers."""
    return left ^ right


@builtin("ceil")
def ceil(number: Value) -> int:
    """The number rounded up to an integer."""
    value = _as_float(number)
    return math.ceil(value) if _fits(value) else INT_MIN


@builtin("floor")
def floor(number: Value) -> int:
    """The number rounded down to an integer."""
    value = _as_float(number)
    return math.floor(value) if _fits(value) else INT_MIN


def _as_float(number: Value) -> float:
    # An integer is converted too, as in C++ Nix: above 2**53 it loses its last bits.
    if type(number) is not int and type(number) is not float:
        raise type_error("a float", number)
    return float(number)


def _fits(value: float) -> bool:
    # What does not fit (NaN neither) becomes the smallest integer: C++ Nix's answer on x86.
    return INT_MIN <= value < -INT_MIN
