"""Arguments that would be thunks, and take less than to make one: computed at once.

That is arithmetic on integers which are there already; what goes round with a sum does not pile up thunks
then. Not so for attributes and elements: that they are suspended can be seen, in what is printed. Selections
of attributes that are there were tried too: instructions fell by a hundredth at most.
"""

from __future__ import annotations

from typing import NamedTuple, cast

from aionix.bytecode.chunk import Instruction, Lambda, instructions
from aionix.bytecode.opcodes import Op, Position
from aionix.native.context import Translator
from aionix.native.operands import Operand, Unmade
from aionix.native.operators import all_of
from aionix.values.numbers import INT_MAX, INT_MIN

_SIGNS = {Op.ADD: "+", Op.SUB: "-", Op.MUL: "*"}


class Arithmetic(NamedTuple):
    """The code of a thunk that is one operation on upvalues (their indexes) and constants."""

    sign: str
    left: Position | int
    right: Position | int


def variable(t: Translator, operand: Operand) -> str:
    """The operand, a thunk perhaps that is made now."""
    if not operand.pending:
        return operand.text
    name = t.out.name()
    t.assign(name, operand)
    return name


def early(t: Translator, operand: Operand) -> str:
    """A variable with the operand's value, where that takes only such arithmetic; else with a thunk."""
    thunk = operand.thunk
    simple = None if thunk is None or thunk.closure is not None else _arithmetic(thunk.code)
    if thunk is None or simple is None:
        return variable(t, operand)
    return _computed(t, operand, thunk, simple)


def _arithmetic(code: Lambda) -> Arithmetic | None:
    """What the thunk `code` computes, if it is that simple."""
    found = [one for one in instructions(code.chunk) if one.op is not Op.FORCE]
    if len(found) != 4 or found[2].op not in _SIGNS or found[3].op is not Op.RETURN:
        return None
    left, right = _operand(code, found[0]), _operand(code, found[1])
    if left is None or right is None:
        return None
    return Arithmetic(_SIGNS[found[2].op], left, right)


def _operand(code: Lambda, one: Instruction) -> Position | int | None:
    if one.op is Op.GET_UPVALUE:
        return Position.upvalue(one.arg)
    constant = code.chunk.constants[one.arg] if one.op is Op.CONSTANT else None
    # A product of two numbers under 2**31 fits; larger constants are left to the thunk.
    return constant if type(constant) is int and abs(constant) < 2**31 else None


def _computed(t: Translator, operand: Operand, thunk: Unmade, simple: Arithmetic) -> str:
    parts = simple.left, simple.right
    texts = [_text(t, part, thunk) for part in parts]
    variables = sorted({text for text, part in zip(texts, parts, strict=True) if type(part) is not int})
    if not variables:
        return variable(t, operand)
    out = t.out
    name = out.name()
    for text in variables:
        if text not in t.facts.forced.values():
            with out.block(f"if type({text}) is list and {text}[0] is None:"):
                out.line(f"{text} = {text}[1]")
    test = all_of("int", variables)
    # Adding a positive constant cannot become too small, taking one away not too large.
    one_way = simple.sign if type(simple.right) is int and simple.right >= 0 else ""
    low = "" if one_way == "+" else f"{INT_MIN} <= "
    high = "" if one_way == "-" else f" <= {INT_MAX}"
    with out.block(f"if not ({test} and {low}({name} := {texts[0]} {simple.sign} {texts[1]}){high}):"):
        out.line(f"{name} = {operand.text}")
    return name


def _text(t: Translator, part: Position | int, thunk: Unmade) -> str:
    """A constant, or what the thunk would take along."""
    if type(part) is int:
        return t.out.constant(part)
    return t.facts.known(thunk.captured[cast(Position, part).index])
