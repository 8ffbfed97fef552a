from types import MethodType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aionix.errors import ContextError, DivisionByZero, EvalError, IntegerOverflow, NotCoercible, TypeMismatch
from aionix.values.arithmetic import add, add_numbers, divide, multiply, negate, subtract
from aionix.values.attrs import AttrSet
from aionix.values.numbers import INT_MAX, INT_MIN, fits
from aionix.values.paths import Path
from aionix.values.strings import context_of, with_context
from aionix.values.thunk import Value

INTEGERS = st.integers(INT_MIN, INT_MAX)
STORED = with_context("/nix/store/x", frozenset({"/nix/store/x"}))


@given(INTEGERS, INTEGERS)
def test_integers_are_added_exactly_or_not_at_all(left: int, right: int) -> None:
    if fits(left + right):
        assert add(left, right) == left + right
    else:
        with pytest.raises(IntegerOverflow, match=f"integer overflow in adding {left} \\+ {right}"):
            add(left, right)


@given(INTEGERS, INTEGERS.filter(bool))
def test_division_rounds_towards_zero(left: int, right: int) -> None:
    if (left, right) == (INT_MIN, -1):
        return
    quotient = divide(left, right)
    assert type(quotient) is int
    rest = left - quotient * right
    assert abs(rest) < abs(right)
    assert rest == 0 or (rest < 0) == (left < 0)


@pytest.mark.parametrize(
    ("operation", "left", "right", "message"),
    [
        (subtract, INT_MIN, 1, "integer overflow in subtracting -9223372036854775808 - 1"),
        (multiply, 2**62, 2, "integer overflow in multiplying 4611686018427387904 * 2"),
        (divide, INT_MIN, -1, "integer overflow in dividing -9223372036854775808 / -1"),
        (add_numbers, INT_MAX, 1, "integer overflow in adding 9223372036854775807 + 1"),
        (divide, 1, 0, "division by zero"),
        (divide, "a", 0.0, "division by zero"),
        (add, 1, "a", "cannot add a string to an integer"),
        (add, 1.5, None, "cannot add null to a float"),
        (add_numbers, "a", 1, 'expected an integer but found a string: "a"'),
        (subtract, 1, STORED, 'expected an integer but found a string with context: "/nix/store/x"'),
        (subtract, "a", 1.5, 'expected a float but found a string: "a"'),
        (multiply, True, 1, "expected an integer but found a Boolean: true"),
        (divide, 1, "a", 'expected a float but found a string: "a"'),
        (divide, "a", 1, 'expected an integer but found a string: "a"'),
        (add, "a", 1, "cannot coerce an integer to a string: 1"),
        (add, (), "a", "cannot coerce a list to a string: [ ]"),
        (add, Path("/a"), None, "cannot coerce null to a string: null"),
        (add, Path("/a"), STORED, "a string that refers to a store path cannot be appended to a path"),
    ],
)
def test_what_cannot_be_computed_is_an_error(operation, left: Value, right: Value, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(EvalError) as caught:
        operation(left, right)
    assert caught.value.message == message
    kinds = (ContextError, DivisionByZero, IntegerOverflow, NotCoercible, TypeMismatch)
    assert isinstance(caught.value, kinds)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (add(1, 2.5), "3.5"),
        (subtract(1.5, 1), "0.5"),
        (multiply(2, 1.5), "3.0"),
        (divide(9, 4.0), "2.25"),
        (multiply(1e308, 10), "inf"),
        (add(INT_MAX, 0.0), "9.223372036854776e+18"),
        (negate(0.0), "0.0"),
        (multiply(0.0, -1), "-0.0"),
        (negate(5), "-5"),
    ],
)
def test_an_integer_that_meets_a_float_becomes_one(value: Value, text: str) -> None:
    assert repr(value) == text


def test_plus_joins_strings_and_their_contexts() -> None:
    assert add("a", "b") == "ab"
    both = add(STORED, with_context("y", frozenset({"/nix/store/y"})))
    assert isinstance(both, str)
    assert context_of(both) == {"/nix/store/x", "/nix/store/y"}


def test_plus_joins_the_bytes_of_a_character() -> None:
    assert add("\udcc3", "\udca9") == "é"


def test_plus_appends_to_a_path_and_cleans_it() -> None:
    result = add(Path("/a/b"), "/../c/")
    assert isinstance(result, Path) and result.text == "/a/c"


def test_a_set_on_the_left_stands_for_its_string() -> None:
    to_string = MethodType(lambda upvalues, this: this["name"], ())
    assert add(AttrSet(__toString=to_string, name="n"), "!") == "n!"
    assert add(AttrSet(outPath=Path("/p")), Path("/q")) == "/p/q"
