"""From the text of a function to its code object, with the constants in their places.

Its line numbers are no lines of the text, but say which instruction of the chunk something belongs to.
Columns are left out: they would be a quarter of what is kept of a function.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from types import CodeType

from aionix.errors import InternalError
from aionix.native.writer import MARK
from aionix.vm.engine import FIRST_LINE

_SHAPE = 16  # bytes of the name of one
#: Lines of the text up to the first of the body.
_LINES_BEFORE = 3


def assemble(
    lines: Sequence[str], offsets: Sequence[int], parameters: str, constants: Sequence[object]
) -> CodeType:
    """The code of a function with these parameters and this body, each line with the offset in the chunk of
    its instruction. Its one free variable is `unit`."""
    text = "\n".join(["def make(unit):", f" def enter({parameters}):", *lines, " return enter"])
    module = compile(text, "<native>", "exec", dont_inherit=True, optimize=1)
    code = _inner(_inner(module))
    return code.replace(
        co_consts=tuple([_filled(each, constants) for each in code.co_consts]),
        co_firstlineno=FIRST_LINE,
        co_linetable=b"".join(_places(code, offsets)),
    )


@lru_cache(maxsize=10_000)
def shared(lines: tuple[str, ...], offsets: tuple[int, ...], parameters: str) -> tuple[bytes, CodeType]:
    """Code without constants, and a name that no other code has.

    Of the thunks of a NixOS system that run, four of five have the code of another one.
    """
    shape = sha256(repr((lines, offsets, parameters)).encode("ascii")).digest()[:_SHAPE]
    return shape, assemble(lines, offsets, parameters, ())


# Entries of a table of places: a byte with the kind and for how many instructions, then what the kind says.
# (CPython, Objects/locations.md, the same from 3.11 on)
_LINE_ONLY, _NOWHERE = 13, 15
_MOST = 8


def _places(code: CodeType, offsets: Sequence[int]) -> Iterator[bytes]:
    before = 0
    for start, end, line in code.co_lines():
        kind, offset = _NOWHERE, before
        if line is not None:
            kind, offset = _LINE_ONLY, offsets[line - _LINES_BEFORE] if line >= _LINES_BEFORE else 0
        for first in range(start, end, 2 * _MOST):
            count = min(end - first, 2 * _MOST) // 2
            yield bytes([0x80 | kind << 3 | count - 1])
            if kind == _LINE_ONLY:
                yield _signed(offset - before)
                before = offset


def _signed(number: int) -> bytes:
    """Six bits a byte, the lowest first, of which the very lowest is the sign."""
    rest = -number << 1 | 1 if number < 0 else number << 1
    found = bytearray()
    while rest >= 64:
        found.append(64 | rest & 63)
        rest >>= 6
    found.append(rest)
    return bytes(found)


def _inner(code: CodeType) -> CodeType:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            return constant
    raise InternalError("compiled code without a function")


def _filled(constant: object, constants: Sequence[object]) -> object:
    if type(constant) is str and constant.startswith(MARK):
        return constants[int(constant[len(MARK) :])]
    if type(constant) is tuple:
        return tuple([_filled(each, constants) for each in constant])
    return constant
