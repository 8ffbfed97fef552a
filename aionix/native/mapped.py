"""`concatLists (map f list)`, and others that ask a list for all its elements: without the list.

What builtins have such a way, `Builtin.of_map`, they say themselves. Here the argument is found to be a
`map`: a thunk of nothing but that call, whose own arguments are made in one step.
"""

from __future__ import annotations

from typing import NamedTuple, cast

from aionix.bytecode.chunk import Global, Instruction, Lambda, instructions
from aionix.bytecode.opcodes import Op
from aionix.native.closures import bound, suspended, tuple_of
from aionix.native.context import Translator
from aionix.native.operands import Operand, Unmade
from aionix.values.functions import Builtin
from aionix.vm.linking import builtin_recipe


class Mapped(NamedTuple):
    """The arguments of `map`, as text; and which constant the thunk's code is, and where it calls `map`."""

    function: str
    values: str
    constant: int
    offset: int


def of_map(
    t: Translator, name: str, builtin: Builtin, path: tuple[str, ...], arguments: list[Operand], offset: int
) -> bool:
    """Writes `name = builtin(*arguments)`, the call at `offset`, if the last one is a `map`."""
    *first, last = arguments
    mapped = None if builtin.of_map is None or last.thunk is None else _mapped(t, last.thunk)
    if mapped is None:
        return False
    out = t.out
    run = out.constant(builtin.of_map, builtin_recipe("of_map", path, builtin))
    given = [*[argument.text for argument in first], mapped.function, mapped.values]
    with out.block("try:"):
        out.line(f"{name} = {run}({', '.join(given)})", offset)
    with out.block("except NixError as error:"):
        called = out.constant(builtin.name)
        out.line(f"unit.leave_map(error, {mapped.constant}, {mapped.offset}, {called})")
        out.line("raise")
    return True


def _mapped(t: Translator, thunk: Unmade) -> Mapped | None:
    code = thunk.code
    found = [one for one in instructions(code.chunk) if one.op is not Op.FORCE]
    if [one.op for one in found[2:]] != [Op.CONSTANT, Op.CALL, Op.CALL, Op.RETURN] or code.name:
        return None
    called = code.chunk.constants[found[2].arg]
    if type(called) is not Global or not _is_map(t.unit.scope[called.name]):
        return None
    values, function = [_made(t, thunk, one) for one in found[:2]]
    if values is None or function is None:
        return None
    return Mapped(function, values, t.chunk.constants.index(code), found[4].offset)


def _is_map(value: object) -> bool:
    return type(value) is Builtin and value.standard and value.name == "map"


def _made(t: Translator, thunk: Unmade, one: Instruction) -> str | None:
    """What the thunk would begin with: something that it has, or a function or thunk of such things."""
    if one.op is Op.GET_UPVALUE:
        return t.facts.known(thunk.captured[one.arg])
    if one.op not in (Op.CLOSURE, Op.THUNK_CLOSURE, Op.THUNK_SUSPENDED):
        return None
    if not all([position.is_upvalue for position in one.positions]):
        return None
    code = cast(Lambda, thunk.code.chunk.constants[one.arg])
    texts = [t.facts.known(thunk.captured[position.index]) for position in one.positions]
    upvalues = tuple_of(t, texts, one.captures_with)
    if one.op is Op.THUNK_SUSPENDED:
        return f"[{suspended(t, code)}, {upvalues}]"
    return bound(t, code).format(upvalues)
