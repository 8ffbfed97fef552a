import pytest
from hypothesis import given
from hypothesis import strategies as st

from aionix.values.numbers import INT_MAX, INT_MIN, fits, fixed_float, json_float, parse_int, show_float

INFINITY = float("inf")


@pytest.mark.parametrize(
    ("number", "shown", "fixed", "json"),
    [
        (0.0, "0", "0.000000", "0.0"),
        (-0.0, "-0", "-0.000000", "-0.0"),
        (1.0, "1", "1.000000", "1.0"),
        (-2.5, "-2.5", "-2.500000", "-2.5"),
        (1 / 3, "0.333333", "0.333333", "0.3333333333333333"),
        (123456.7, "123457", "123456.700000", "123456.7"),
        (999999.5, "1e+06", "999999.500000", "999999.5"),
        (0.0001, "0.0001", "0.000100", "0.0001"),
        (0.00001, "1e-05", "0.000010", "1e-05"),
        (123456789012.0, "1.23457e+11", "123456789012.000000", "123456789012.0"),
        (1e14, "1e+14", "100000000000000.000000", "100000000000000.0"),
        (1e15, "1e+15", "1000000000000000.000000", "1e+15"),
        (1.5e300, "1.5e+300", f"{1.5e300:f}", "1.5e+300"),
        (INFINITY, "inf", "inf", "null"),
        (-INFINITY, "-inf", "-inf", "null"),
        (float("nan"), "nan", "nan", "null"),
        (-float("nan"), "-nan", "-nan", "null"),
    ],
)
def test_a_float_has_three_texts(number: float, shown: str, fixed: str, json: str) -> None:
    assert (show_float(number), fixed_float(number), json_float(number)) == (shown, fixed, json)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_json_text_of_a_float_reads_back_the_same(number: float) -> None:
    assert repr(float(json_float(number))) == repr(number)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_json_text_of_a_float_is_never_an_integer(number: float) -> None:
    assert not json_float(number).lstrip("-").isdigit()


@given(st.integers(INT_MIN, INT_MAX), st.integers(0, 30))
def test_integers_are_read_with_any_number_of_zeros(number: int, zeros: int) -> None:
    sign = "-" if number < 0 else ""
    assert parse_int(f"{sign}{'0' * zeros}{abs(number)}") == number


@pytest.mark.parametrize("text", ["9223372036854775808", "-9223372036854775809", "1" * 10_000])
def test_integers_beyond_64_bits_are_not_read(text: str) -> None:
    assert parse_int(text) is None


def test_ten_thousand_zeros_are_zero() -> None:
    assert parse_int("0" * 10_000) == 0
    assert parse_int("-" + "0" * 10_000 + "7") == -7


def test_64_bits_are_the_bounds() -> None:
    assert fits(INT_MAX) and fits(INT_MIN)
    assert not fits(INT_MAX + 1) and not fits(INT_MIN - 1)
