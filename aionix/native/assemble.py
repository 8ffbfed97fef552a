"""From the text of a function to its code object, with the constants in their places."""

from __future__ import annotations

from collections.abc import Sequence
from types import CodeType
from typing import NamedTuple

from aionix.errors import InternalError
from aionix.native.writer import MARK, Constant
from aionix.vm.linking import Hole, Recipe

#: Lines of the text before the first of the body.
LINES_BEFORE = 2


def assemble(
    lines: Sequence[str], parameters: str, constants: Sequence[Constant]
) -> tuple[CodeType, tuple[Hole, ...]]:
    """The code of a function with these parameters and this body, whose one free variable is `unit`;
    and which of its constants are still to be made."""
    text = "\n".join(["def make(unit):", f" def enter({parameters}):", *lines, " return enter"])
    module = compile(text, "<native>", "exec", dont_inherit=True, optimize=1)
    code = _inner(_inner(module))
    filled = [_filled(each, constants) for each in code.co_consts]
    values = tuple([None if type(each) is _Made else each for each in filled])
    holes = tuple([(index, each.recipe) for index, each in enumerate(filled) if type(each) is _Made])
    return code.replace(co_consts=values), holes


class _Made(NamedTuple):
    recipe: Recipe


def _inner(code: CodeType) -> CodeType:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            return constant
    raise InternalError("compiled code without a function")


def _filled(constant: object, constants: Sequence[Constant]) -> object:
    """The constant of the text, or of the program if it is a mark."""
    if type(constant) is str and constant.startswith(MARK):
        value, recipe = constants[int(constant[len(MARK) :])]
        return value if recipe is None else _Made(recipe)
    if type(constant) is tuple:
        parts = [_filled(each, constants) for each in constant]
        if any([type(part) is _Made for part in parts]):
            return _Made(("tuple", *[_recipe(part) for part in parts]))
        return tuple(parts)
    return constant


def _recipe(part: object) -> Recipe:
    return part.recipe if type(part) is _Made else ("object", part)
