"""Chunks as the interpreter runs them: decoded once, on first run, to (instruction, argument) pairs.

Bytes are compact to keep and slow to pick apart in Python. Decoding resolves constants and
jumps, binds nested code to this evaluation, and joins what always comes together (a local and
its `Force`, an attribute's name and its `AttrsSelect`) to one instruction.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from aionix.bytecode import chunk as bytecode
from aionix.bytecode.chunk import Chunk, Global, Lambda
from aionix.bytecode.opcodes import Op, Position
from aionix.errors import InternalError
from aionix.source import Span
from aionix.values.thunk import Value
from aionix.vm import instructions as i
from aionix.vm.operations import Deferred

if TYPE_CHECKING:
    from aionix.vm.engine import Unit

Capture: TypeAlias = Callable[[list[Value], tuple[Value, ...], object], tuple[Value, ...]]

_PLAIN = {
    Op.POP: i.POP, Op.INVERT: i.INVERT, Op.NEGATE: i.NEGATE, Op.ADD: i.ADD, Op.SUB: i.SUB, Op.MUL: i.MUL,
    Op.DIV: i.DIV, Op.EQUAL: i.EQUAL, Op.LESS: i.LESS, Op.LESS_OR_EQ: i.LESS_OR_EQUAL, Op.MORE: i.MORE,
    Op.MORE_OR_EQ: i.MORE_OR_EQUAL, Op.ATTRS_UPDATE: i.UPDATE, Op.ATTRS_SELECT: i.SELECT_DYNAMIC,
    Op.ATTRS_TRY_SELECT: i.TRY_SELECT_DYNAMIC, Op.HAS_ATTR: i.HAS_ATTR_DYNAMIC, Op.POP_WITH: i.POP_WITH,
    Op.RESOLVE_WITH: i.RESOLVE_WITH, Op.CONCAT: i.CONCAT,
    Op.RESOLVE_HOME_PATH: i.HOME_PATH, Op.ASSERT_BOOL: i.ASSERT_BOOL, Op.ASSERT_ATTRS: i.ASSERT_ATTRS,
    Op.ASSERT_FAIL: i.ASSERT_FAIL, Op.CALL: i.CALL, Op.FORCE: i.FORCE, Op.RETURN: i.RETURN,
    Op.PUSH_WITH: i.PUSH_WITH, Op.LIST: i.LIST, Op.INTERPOLATE: i.INTERPOLATE, Op.GET_LOCAL: i.LOCAL,
    Op.CLOSE_SCOPE: i.CLOSE_SCOPE, Op.GET_UPVALUE: i.UPVALUE, Op.FINALISE: i.FINALISE,
}  # fmt: skip
_JUMPS = {
    Op.JUMP: i.JUMP, Op.JUMP_IF_TRUE: i.JUMP_IF_TRUE, Op.JUMP_IF_FALSE: i.JUMP_IF_FALSE,
    Op.JUMP_IF_NOT_FOUND: i.JUMP_IF_NOT_FOUND,
}  # fmt: skip
_JUMPING = frozenset([*_JUMPS.values(), i.BRANCH])
#: (instruction, the op after it) -> the one that does both
_WITH_FORCE = {i.LOCAL: i.LOCAL_FORCE, i.UPVALUE: i.UPVALUE_FORCE, i.SELECT: i.SELECT_FORCE}
_WITH_NAME = {
    Op.ATTRS_SELECT: i.SELECT, Op.ATTRS_TRY_SELECT: i.TRY_SELECT, Op.HAS_ATTR: i.HAS_ATTR,
}  # fmt: skip


class Code:
    """Decoded code. `offsets[n]` is where in the chunk instruction `n` was."""

    __slots__ = ("captures_with", "instructions", "lambda_", "offsets")

    def __init__(self, code: Lambda) -> None:
        self.lambda_ = code
        self.captures_with = code.captures_with
        # What an argument is depends on its instruction; asking would cost more than running it.
        self.instructions: list[tuple[int, Any]] = []
        self.offsets: list[int] = []

    def span_of(self, index: int) -> Span:
        """The source of instruction `index`."""
        return self.lambda_.chunk.span_at(self.offsets[index])


def decode(unit: Unit) -> Code:
    """The code of `unit`, for the interpreter."""
    return _Decoder(unit).decode()


class _Decoder:
    def __init__(self, unit: Unit) -> None:
        self.chunk: Chunk = unit.code.chunk
        self.code = Code(unit.code)
        self.unit = unit
        self.found = bytecode.instructions(self.chunk)
        self.targets = {one.arg for one in self.found if one.op in _JUMPS}

    def decode(self) -> Code:
        instructions, offsets = self.code.instructions, self.code.offsets
        observer = self.unit.engine.observer
        for one in self.found:
            if observer is not None:
                self._append(one.offset, i.OBSERVE, (observer, one.offset))
            if one.offset in self.targets or observer is not None or not self._joined(one):
                self._append(one.offset, *self._translated(one))
        for index, (op, arg) in enumerate(instructions):
            if op in _JUMPING:
                instructions[index] = (op, bisect_left(offsets, cast(int, arg)))
        return self.code

    def _append(self, offset: int, op: int, arg: object) -> None:
        self.code.instructions.append((op, arg))
        self.code.offsets.append(offset)

    def _joined(self, one: bytecode.Instruction) -> bool:
        """Joins `one` to the instruction before it, where a pair has an instruction of its own."""
        instructions = self.code.instructions
        if not instructions:
            return False
        previous, arg = instructions[-1]
        if one.op is Op.FORCE:
            joined = _WITH_FORCE.get(previous)
        elif one.op is Op.POP and previous == i.JUMP_IF_FALSE and self._pops(cast(int, arg)):
            joined, arg = i.BRANCH, cast(int, arg) + 1
        elif previous == i.CONSTANT and type(arg) is str:
            joined = _WITH_NAME.get(one.op)
        else:
            joined = None
        if joined is None:
            return False
        instructions[-1] = (joined, arg)
        self.code.offsets[-1] = one.offset
        return True

    def _pops(self, offset: int) -> bool:
        return self.chunk.code[offset] == Op.POP

    def _translated(self, one: bytecode.Instruction) -> tuple[int, object]:
        op = one.op
        if op in _PLAIN:
            return _PLAIN[op], one.arg
        if op in _JUMPS:
            return _JUMPS[op], one.arg
        if op is Op.CONSTANT:
            return self._constant(self.chunk.constants[one.arg])
        if op is Op.FIND_FILE:
            return i.FIND_FILE, (self.unit.scope["__findFile"], self.unit.scope["__nixPath"])
        if op is Op.ATTRS:
            return self._attrs(one)
        if op is Op.VALIDATE_CLOSED_FORMALS:
            return i.FORMALS, self.code.lambda_
        if op is Op.COERCE_TO_STRING:
            return i.COERCE, (bool(one.arg & 1), bool(one.arg & 2))
        return self._nested(one)

    def _constant(self, constant: object) -> tuple[int, object]:
        if type(constant) is not Global:
            return i.CONSTANT, constant
        return i.CONSTANT, self.unit.scope[constant.name]

    def _attrs(self, one: bytecode.Instruction) -> tuple[int, object]:
        spans = self.chunk.attr_spans.get(one.offset, (None,) * one.arg)
        names = self.chunk.attr_names.get(one.offset) if one.arg else ()
        if names is None:
            return i.DYNAMIC_ATTRS, (2 * one.arg, spans)
        return i.ATTRS, (2 * one.arg, {n: span for n, span in zip(names, spans, strict=True) if span})

    def _nested(self, one: bytecode.Instruction) -> tuple[int, object]:
        code = cast(Lambda, self.chunk.constants[one.arg])
        capture = capture_of(one.positions, one.captures_with)
        if one.op is Op.THUNK_SUSPENDED:
            return i.THUNK, (self.unit.entry(code), capture)
        if one.op is Op.CLOSURE:
            return i.CLOSURE, (self.unit.body(code), capture)
        if one.op is Op.THUNK_CLOSURE:
            return i.SELF_CLOSURE, (self.unit.body(code), capture)
        raise InternalError(f"{one.op.label} cannot be run")


def capture_of(positions: tuple[Position, ...], captures_with: bool) -> Capture:
    """What gathers the upvalues of a new thunk or closure, in the cheapest way for their kinds.

    The captured `with`s, a linked list, come last.
    """
    if captures_with and not positions:  # most code of nixpkgs: a package, from the `with` around all
        return lambda stack, upvalues, withs: (withs,)
    gather = _gather(positions)
    if not captures_with:
        return gather
    return lambda stack, upvalues, withs: (*gather(stack, upvalues, withs), withs)


def _gather(positions: tuple[Position, ...]) -> Capture:
    if not positions:
        return lambda stack, upvalues, withs: ()
    indexes = [position.index for position in positions]
    if any([position.is_deferred for position in positions]):
        return _gather_deferred(positions)
    if all([position.is_upvalue for position in positions]):
        return _gather_upvalues(indexes)
    if not any([position.is_upvalue for position in positions]):
        return _gather_locals(indexes)
    if len(positions) == 2:
        return _gather_two(indexes[0], indexes[1], local_first=not positions[0].is_upvalue)
    mixed = [~position.index if position.is_upvalue else position.index for position in positions]
    return lambda stack, upvalues, withs: tuple([stack[n] if n >= 0 else upvalues[~n] for n in mixed])


def _gather_two(first: int, second: int, local_first: bool) -> Capture:
    if local_first:
        return lambda stack, upvalues, withs: (stack[first], upvalues[second])
    return lambda stack, upvalues, withs: (upvalues[first], stack[second])


def _gather_locals(indexes: list[int]) -> Capture:
    if len(indexes) == 1:
        (only,) = indexes
        return lambda stack, upvalues, withs: (stack[only],)
    get = itemgetter(*indexes)
    return lambda stack, upvalues, withs: get(stack)


def _gather_upvalues(indexes: list[int]) -> Capture:
    if len(indexes) == 1:
        (only,) = indexes
        return lambda stack, upvalues, withs: (upvalues[only],)
    get = itemgetter(*indexes)
    return lambda stack, upvalues, withs: get(upvalues)


def _gather_deferred(positions: tuple[Position, ...]) -> Capture:
    def gather(stack: list[Value], upvalues: tuple[Value, ...], withs: object) -> tuple[Value, ...]:
        return tuple(
            [
                Deferred(position.index) if position.is_deferred
                else upvalues[position.index] if position.is_upvalue
                else stack[position.index]
                for position in positions
            ]
        )  # fmt: skip

    return gather
