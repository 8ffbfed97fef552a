"""Thunks and closures: what they take along."""

from __future__ import annotations

from contextlib import nullcontext
from typing import cast

from aionix.bytecode.chunk import Instruction, Lambda
from aionix.bytecode.image import StoredLambda
from aionix.bytecode.opcodes import Op, Position
from aionix.native.context import Translator, op
from aionix.native.operands import Late, Operand, Unmade


@op(Op.CLOSURE, Op.THUNK_CLOSURE, Op.THUNK_SUSPENDED)
def closure(t: Translator, one: Instruction) -> None:
    t.settle()
    code = cast(Lambda, t.chunk.constants[one.arg])
    is_closure = one.op is not Op.THUNK_SUSPENDED
    out = t.out
    entry, payload = ("closed", bound(t, code)) if is_closure else (suspended(t, code), "{}")
    if any([position.is_deferred for position in one.positions]):
        name = out.name()
        out.line(f"{name} = [{entry}, None]")
        if is_closure:
            t.closures.add(name)
        late = Late(name, payload, one.positions, one.captures_with)
        t.stack.append(Operand(name, lazy=True, late=late))
        return
    texts = captures(t, one.positions)
    upvalues = tuple_of(t, texts, one.captures_with)
    made = payload.format(upvalues)
    if one.op is Op.CLOSURE:
        t.stack.append(Operand(made, pending=True))
    else:
        thunk = Unmade(code, texts, made if is_closure else None)
        t.stack.append(Operand(f"[{entry}, {made}]", lazy=True, pending=True, thunk=thunk))


def bound(t: Translator, code: Lambda) -> str:
    """The text of a closure, but for its upvalues."""
    if isinstance(code, StoredLambda) and t.portable:
        body = t.out.constant(code, ("body", code.offset))
    else:
        body = t.out.constant(t.unit.body(code))
    return f"MethodType({body}, {{}})"


def suspended(t: Translator, code: Lambda) -> str:
    """The text of a thunk's entry."""
    if isinstance(code, StoredLambda) and t.portable:
        return t.out.late(code.offset)
    return t.out.constant(t.unit.entry(code))


@op(Op.FINALISE)
def finalise(t: Translator, one: Instruction) -> None:
    t.settle()
    late = t.stack[one.arg].late
    if late is None:
        return
    payload = late.payload.format(captured(t, late.positions, late.captures_with))
    with t.out.block(f"if {late.guard}:") if late.guard else nullcontext():
        t.out.line(f"{late.variable}[1] = {payload}")
    t.stack[one.arg].late = None


def captured(t: Translator, positions: tuple[Position, ...], captures_with: bool) -> str:
    return tuple_of(t, captures(t, positions), captures_with)


def captures(t: Translator, positions: tuple[Position, ...]) -> list[str]:
    """The variables that a new thunk or closure takes along; evaluated, if they are here already."""
    texts = []
    for position in positions:
        text = f"u{position.index}"
        if not position.is_upvalue:
            if t.stack[position.index].pending:
                t.settle_all()
            text = t.stack[position.index].text
        texts.append(t.facts.known(text))
    return texts


def tuple_of(t: Translator, texts: list[str], captures_with: bool) -> str:
    if captures_with:
        texts = [*texts, t.withs]
    return f"({''.join([f'{text}, ' for text in texts])})"
