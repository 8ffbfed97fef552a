"""Numbers as text, in each of the forms that Nix has, and the bounds of its integers."""

from __future__ import annotations

from math import copysign, isfinite, isnan

INT_MIN = -(2**63)
INT_MAX = 2**63 - 1


def fits(number: int) -> bool:
    """Is `number` one of Nix's 64-bit integers?"""
    return INT_MIN <= number <= INT_MAX


def parse_int(text: str) -> int | None:
    """The integer that decimal digits with an optional sign spell; None if 64 bits cannot hold it.

    Text of any length is safe: Python's own limit on digits is never met.
    """
    if len(text.lstrip("+-").lstrip("0")) > 19:
        return None
    number = int(text[:1] + text[1:].lstrip("0") or "0") if len(text) > 40 else int(text)
    return number if fits(number) else None


def show_float(number: float) -> str:
    """As values are printed, in XML too: six significant digits (`%g`)."""
    return f"{number:g}" if not isnan(number) else _nan(number)


def fixed_float(number: float) -> str:
    """As `toString` writes it: six decimals (`%f`)."""
    return f"{number:f}" if not isnan(number) else _nan(number)


def _nan(number: float) -> str:
    # C prints the sign bit; what processors compute (`inf - inf`) usually has it set.
    return "-nan" if copysign(1.0, number) < 0 else "nan"


def json_float(number: float) -> str:
    """As `toJSON` writes it: the fewest digits that read back the same, `1.0`, `1e+22`, `1e-05`.

    Plain notation from 0.0001 up to 15 digits before the point; `null` for what JSON lacks.
    """
    if not isfinite(number):
        return "null"
    sign, digits, exponent = _shortest(number)
    point = len(digits) + exponent  # the value is 0.<digits> * 10**point
    if len(digits) <= point <= 15:
        return f"{sign}{digits.ljust(point, '0')}.0"
    if 0 < point <= 15:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -4 < point <= 0:
        return f"{sign}0.{digits.rjust(len(digits) - point, '0')}" if digits != "0" else f"{sign}0.0"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1:+03d}"


def _shortest(number: float) -> tuple[str, str, int]:
    """Sign, digits and exponent of the shortest decimal that reads back as `number`."""
    sign = "-" if copysign(1.0, number) < 0 else ""
    if number == 0:
        return sign, "0", 0
    mantissa, _, power = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).rstrip("0")
    exponent = int(power or "0") + len(whole) - len(digits)
    return sign, digits.lstrip("0"), exponent
