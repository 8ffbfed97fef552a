"""From the text of a function to its code object, with the constants in their places."""

from __future__ import annotations

from collections.abc import Sequence
from types import CodeType

from aionix.errors import InternalError
from aionix.native.writer import MARK

#: Lines of the text before the first of the body.
LINES_BEFORE = 2


def assemble(lines: Sequence[str], parameters: str, constants: Sequence[object]) -> CodeType:
    """The code of a function with these parameters and this body, whose one free variable is `unit`."""
    text = "\n".join(["def make(unit):", f" def enter({parameters}):", *lines, " return enter"])
    module = compile(text, "<native>", "exec", dont_inherit=True, optimize=1)
    code = _inner(_inner(module))
    return code.replace(co_consts=tuple([_filled(each, constants) for each in code.co_consts]))


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
