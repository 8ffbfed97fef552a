"""Chunks as the interpreter runs them: decoded once, on first run, to (instruction, argument) pairs.

Bytes are compact to keep and slow to pick apart in Python. Decoding resolves constants and
jumps, binds nested code to this evaluation, and joins what always comes together (a local and
its `Force`, an attribute's name and its `AttrsSelect`) to one instruction.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache
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
_JUMPING = frozenset(_JUMPS.values())
_CLOSURES = {Op.CLOSURE: i.CLOSURE, Op.THUNK_CLOSURE: i.SELF_CLOSURE}
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
    """The code of `unit`, for the interpreter.

    One long function: a warm start spends a quarter of its time here.
    """
    chunk = unit.code.chunk
    result = Code(unit.code)
    instructions, offsets = result.instructions, result.offsets
    constants, code = chunk.constants, chunk.code
    observer = unit.engine.observer
    targets: set[int] = set()  # all jumps go forward, so these are known in time
    jumps: list[int] = []
    previous, before = -1, cast(Any, None)  # the instruction that the next one may be joined to
    for offset, op, arg, captures_with, positions, _ in bytecode.instructions(chunk):
        if observer is not None:
            instructions.append((i.OBSERVE, (observer, offset)))
            offsets.append(offset)
        elif offset not in targets:
            joined = None
            if op is _FORCE:
                joined = _WITH_FORCE.get(previous)
            elif previous == i.CONSTANT:
                joined = _WITH_NAME.get(op) if type(before) is str else None
            elif op is _POP and previous == i.JUMP_IF_FALSE and code[before] == _POP:
                joined, before = i.BRANCH, before + 1
            if joined is not None:
                instructions[-1] = (joined, before)
                offsets[-1] = offset
                previous = joined
                continue
        if op is _CONSTANT:
            before = constants[arg]
            if type(before) is Global:
                before = unit.scope[before.name]
            previous = i.CONSTANT
        elif op is _THUNK:
            before = (unit.entry(constants[arg]), capture_of(positions, captures_with))  # type: ignore[arg-type]
            previous = i.THUNK
        else:
            previous = _PLAIN.get(op, -1)
            before = arg
            if previous < 0:
                previous, before = _translated(unit, op, offset, arg, positions, captures_with)
                if previous in _JUMPING:
                    targets.add(arg)
                    jumps.append(len(instructions))
        instructions.append((previous, before))
        offsets.append(offset)
    for index in jumps:
        op_, target = instructions[index]
        instructions[index] = (op_, bisect_left(offsets, target))
    return result


_FORCE, _POP, _CONSTANT, _THUNK = Op.FORCE, Op.POP, Op.CONSTANT, Op.THUNK_SUSPENDED


def _translated(
    unit: Unit, op: Op, offset: int, arg: int, positions: tuple[Position, ...], captures_with: bool
) -> tuple[int, object]:
    if op in _JUMPS:
        return _JUMPS[op], arg
    if op is Op.FIND_FILE:
        return i.FIND_FILE, (unit.scope["__findFile"], unit.scope["__nixPath"])
    if op is Op.ATTRS:
        return _attrs(unit.code.chunk, offset, arg)
    if op is Op.VALIDATE_CLOSED_FORMALS:
        return i.FORMALS, unit.code
    if op is Op.COERCE_TO_STRING:
        return i.COERCE, (bool(arg & 1), bool(arg & 2))
    if op not in _CLOSURES:
        raise InternalError(f"{op.label} cannot be run")
    code = cast(Lambda, unit.code.chunk.constants[arg])
    return _CLOSURES[op], (unit.body(code), capture_of(positions, captures_with))


def _attrs(chunk: Chunk, offset: int, count: int) -> tuple[int, object]:
    spans = chunk.attr_spans.get(offset, (None,) * count)
    names = chunk.attr_names.get(offset) if count else ()
    if names is None:
        return i.DYNAMIC_ATTRS, (2 * count, spans)
    return i.ATTRS, (2 * count, {n: span for n, span in zip(names, spans, strict=True) if span})


@lru_cache(maxsize=5_000)
def capture_of(positions: tuple[Position, ...], captures_with: bool) -> Capture | None:
    """What gathers the upvalues of a new thunk or closure, in the cheapest way for their kinds.

    The captured `with`s, a linked list, come last; None where there is nothing else.
    """
    if not positions:  # most code of nixpkgs: a package, from the `with` around all
        return None if captures_with else _nothing
    gather = _gather(positions)
    if not captures_with:
        return gather
    return lambda stack, upvalues, withs: (*gather(stack, upvalues, withs), withs)


def _nothing(stack: list[Value], upvalues: tuple[Value, ...], withs: object) -> tuple[Value, ...]:
    return ()


def _gather(positions: tuple[Position, ...]) -> Capture:
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
