"""Nix's base 32: a number, least significant byte first, in digits of five bits.

The alphabet leaves out e, o, u and t. (Nix manual, "Store Path Specification")
"""

from __future__ import annotations

ALPHABET = "0123456789abcdfghijklmnpqrsvwxyz"
_VALUES = {char: value for value, char in enumerate(ALPHABET)}
_PAIRS = [high + low for high in ALPHABET for low in ALPHABET]


def encoded_length(size: int) -> int:
    """How many digits `size` bytes take."""
    return (size * 8 + 4) // 5


def encode(data: bytes) -> str:
    number = int.from_bytes(data, "little")
    length = encoded_length(len(data))
    pairs = [_PAIRS[number >> bits & 1023] for bits in range(10 * ((length - 1) // 2), -1, -10)]
    return "".join(pairs)[length % 2 :]


def decode(text: str, size: int) -> bytes:
    """The `size` bytes that `text` spells. Raises ValueError if it does not spell so many."""
    if len(text) != encoded_length(size):
        raise ValueError("wrong number of digits")
    number = 0
    for char in text:
        if char not in _VALUES:
            raise ValueError(f"not a digit: {char!r}")
        number = number << 5 | _VALUES[char]
    if number >> size * 8:
        raise ValueError("the digits spell more bits than fit")
    return number.to_bytes(size, "little")
