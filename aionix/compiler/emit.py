"""Writes one chunk and knows, at every point, how high the frame's stack is."""

from __future__ import annotations

from aionix.bytecode.chunk import Chunk, Lambda
from aionix.bytecode.opcodes import Op, Position
from aionix.source import Span

#: A branch with more source text than this is compiled as a thunk, so that jumps stay under
#: 65,536 bytes of code: the worst source found needs six bytes of code a byte (`a+a+a`).
MAX_INLINE_BRANCH = 8_000


def too_large_to_jump(span: Span) -> bool:
    """May the code of an expression at `span` be too large to be jumped over?"""
    start, end = span
    return end - start > MAX_INLINE_BRANCH


class Emitter:
    """`height` is the number of slots in use; `deferred` whether the last closure must be finalised."""

    __slots__ = ("chunk", "deferred", "height")

    def __init__(self, height: int = 0) -> None:
        self.chunk = Chunk()
        self.height = height
        self.deferred = False

    def op(self, op: Op, span: Span) -> None:
        self.chunk.push_op(op, span)
        self.height += op.effect

    def op_arg(self, op: Op, arg: int, span: Span) -> int:
        """Emits an instruction with a vu128 operand; returns its offset."""
        self.height += op.effect + op.per * arg
        return self.chunk.push_op_with_arg(op, arg, span)

    def constant(self, value: object, span: Span) -> None:
        chunk = self.chunk
        chunk.push_op_with_arg(Op.CONSTANT, chunk.add_constant(value), span)
        self.height += 1

    def coerce(self, kind: int, span: Span) -> None:
        self.chunk.push_op(Op.COERCE_TO_STRING, span)
        self.chunk.push_byte(kind)

    def jump(self, op: Op, span: Span) -> int:
        """Emits a forward jump; `land` it where it leads to."""
        return self.chunk.push_jump(op, span)

    def land(self, jump: int) -> None:
        self.chunk.patch_jump(jump)

    def closure(self, op: Op, blueprint: Lambda, positions: list[Position], span: Span) -> None:
        chunk = self.chunk
        chunk.push_op_with_arg(op, chunk.add_constant(blueprint), span)
        chunk.push_uvarint(len(positions) << 1 | blueprint.captures_with)
        for position in positions:
            chunk.push_uvarint(position)
        self.height += 1
        self.deferred = any([position & 3 == 1 for position in positions])
