"""Code containers: bytes, constants, and where in the source each instruction comes from.

A `Chunk` is written once, by the compiler, and only read afterwards. Constants are immutable data:
numbers, strings, booleans, null, `Path`, `Lambda` and `Global`; never a value of one evaluation.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType
from typing import Literal, NamedTuple, TypeAlias

from aionix.bytecode.opcodes import OPS, Op, Operand, Position
from aionix.errors import CompileError
from aionix.source import Span

JUMP_LIMIT = 0xFFFF
#: Bytes of code up to which it is worth remembering what it was decoded to.
SHORT = 200


class Global(NamedTuple):
    """A name that no binding of the file defines: the VM looks it up among the globals."""

    name: str


class Formals(NamedTuple):
    """A pattern's names, in source order, and whether each has a default."""

    names: dict[str, bool]
    ellipsis: bool
    spans: dict[str, Span]


class Native(NamedTuple):
    """Python code for a Lambda, as it is kept: `recipes` tell what its further parameters are to be; if they
    are `plain`, those but the first one (`vm.linking`). `shape` is the name of code that other Lambdas are
    likely to have too."""

    code: CodeType
    recipes: tuple[object, ...]
    plain: bool
    shape: bytes | None


#: What is read of one: code, recipes, `plain`. (A plain tuple: a named one takes 200 ns more to make.)
KeptNative: TypeAlias = "tuple[CodeType, tuple[object, ...], bool]"


@dataclass(slots=True, eq=False)
class Lambda:
    """A blueprint of closures or thunks: code that runs in a frame of its own. Only read once it is made.

    `name` is what the function or attribute was bound to. `parameter` is the simple parameter or the
    name after `@`. `span` is that of the whole expression.
    """

    chunk: Chunk
    kind: Literal["toplevel", "function", "thunk"]
    name: str | None
    parameter: str | None
    formals: Formals | None
    upvalue_count: int
    captures_with: bool
    span: Span


#: Writes the chunk of a Lambda whose upvalues have these names.
Later: TypeAlias = "Callable[[Lambda, tuple[str, ...]], Chunk]"


class DeferredLambda(Lambda):
    """A Lambda whose chunk is written when it is first asked for, by `later`; its upvalues have `names`."""

    __slots__ = ("later", "names", "written")

    def __init__(
        self,
        kind: Literal["function", "thunk"],
        name: str | None,
        parameter: str | None,
        formals: Formals | None,
        captures_with: bool,
        span: Span,
        names: tuple[str, ...],
        later: Later,
    ) -> None:
        self.kind = kind
        self.name = name
        self.parameter = parameter
        self.formals = formals
        self.upvalue_count = len(names)
        self.captures_with = captures_with
        self.span = span
        self.names = names
        self.later = later
        self.written = False

    def __getattr__(self, missing: str) -> object:
        if missing == "chunk":
            self.chunk = self.later(self, self.names)
            self.written = True
        return object.__getattribute__(self, missing)


class Chunk:
    """`code`, `constants`, the table of spans, and the places of attribute names.

    `attr_spans` has, by the offset of an `Attrs` instruction, one span per pair in the order of
    pushing: where that name was written, None where nobody may ask. `attr_names` has the names
    of those `Attrs` whose names are all constant: they need no check when the set is built.
    """

    __slots__ = (
        "_constant_index",
        "_last_span",
        "_span_starts",
        "_spans",
        "attr_names",
        "attr_spans",
        "code",
        "constants",
    )

    def __init__(self) -> None:
        self.code = bytearray()
        self.constants: list[object] = []
        self.attr_spans: dict[int, tuple[Span | None, ...]] = {}
        self.attr_names: dict[int, tuple[str, ...]] = {}
        self._constant_index: dict[tuple[type, object], int] = {}
        self._last_span: Span | None = None
        self._span_starts: list[int] = []
        self._spans: list[Span] = []

    def push_op(self, op: Op, span: Span) -> int:
        """Appends an instruction byte and returns its offset."""
        code = self.code
        offset = len(code)
        if span is not self._last_span:  # one node emits most of its instructions in a row
            self._last_span = span
            self._spans.append(span)
            self._span_starts.append(offset)
        code.append(op)
        return offset

    def push_op_with_arg(self, op: Op, arg: int, span: Span) -> int:
        """Appends an instruction and its vu128 operand and returns its offset."""
        offset = self.push_op(op, span)
        self.push_uvarint(arg)
        return offset

    def push_uvarint(self, number: int) -> None:
        if number < 0x80:
            self.code.append(number)
        else:
            self.code += encode_uvarint(number)

    def push_byte(self, byte: int) -> None:
        self.code.append(byte)

    def push_jump(self, op: Op, span: Span) -> int:
        """Appends a jump to be patched and returns its offset."""
        offset = self.push_op(op, span)
        self.code += b"\0\0"
        return offset

    def patch_jump(self, offset: int) -> None:
        """Lets the jump at `offset` lead to the end of the code so far; CompileError if that is too far."""
        distance = len(self.code) - offset - 3
        if distance > JUMP_LIMIT:
            raise CompileError("a branch is too large to be compiled", span=self.span_at(offset))
        self.code[offset + 1 : offset + 3] = distance.to_bytes(2, "little")

    def add_constant(self, constant: object) -> int:
        """The index of `constant`, which is shared with equal constants of the same type."""
        key = (type(constant), constant)
        index = self._constant_index.get(key)
        if index is None:
            index = self._constant_index[key] = len(self.constants)
            self.constants.append(constant)
        return index

    def span_at(self, offset: int) -> Span:
        """The source of the instruction at `offset` (any of its bytes)."""
        return self._spans[max(bisect_right(self._span_starts, offset) - 1, 0)]

    def read_jump(self, offset: int) -> int:
        """Where the jump instruction at `offset` leads to."""
        return offset + 3 + int.from_bytes(self.code[offset + 1 : offset + 3], "little")


def encode_uvarint(number: int) -> bytes:
    """`number` (0 .. 2**64-1) as vu128: leading ones of the first byte tell the length."""
    if number < 1 << 7:
        return bytes([number])
    if number < 1 << 14:
        return bytes([0x80 | number & 0x3F, number >> 6])
    if number < 1 << 21:
        return bytes([0xC0 | number & 0x1F, number >> 5 & 0xFF, number >> 13])
    if number < 1 << 28:
        return bytes([0xE0 | number & 0x0F]) + (number >> 4).to_bytes(3, "little")
    length = max(4, (number.bit_length() + 7) // 8)
    return bytes([0xF0 | length - 1]) + number.to_bytes(length, "little")


def decode_uvarint(data: bytes | bytearray, offset: int = 0) -> tuple[int, int]:
    """The number at `offset`, and the offset after it. Bytes past the end count as zero."""
    first = data[offset]
    if first < 0x80:
        return first, offset + 1
    if first < 0xC0:
        low_bits, length = 6, 1
    elif first < 0xE0:
        low_bits, length = 5, 2
    elif first < 0xF0:
        low_bits, length = 4, 3
    else:
        low_bits, length = 0, (first & 7) + 1
    end = offset + 1 + length
    rest = int.from_bytes(data[offset + 1 : end], "little")
    return rest << low_bits | first & ((1 << low_bits) - 1), end


class Instruction(NamedTuple):
    """One decoded instruction. `arg` is its operand: a jump's target, the constant of a closure."""

    offset: int
    op: Op
    arg: int
    captures_with: bool
    positions: tuple[Position, ...]
    end: int


def decode(chunk: Chunk, offset: int) -> Instruction:
    """The instruction at `offset`."""
    return _decode(chunk.code, offset, offset + 1)[0]


def instructions(chunk: Chunk) -> Sequence[Instruction]:
    """All instructions in order."""
    if len(chunk.code) <= SHORT:
        return _of_short(bytes(chunk.code))
    return _decode(chunk.code, 0, len(chunk.code))


@lru_cache(maxsize=5_000)
def _of_short(code: bytes) -> Sequence[Instruction]:
    """Those of code that others are likely to have too, with other constants: of the chunks that a package of
    nixpkgs runs, four of five."""
    return tuple(_decode(code, 0, len(code)))


def _decode(code: bytes | bytearray, offset: int, stop: int) -> list[Instruction]:
    """The instructions that begin between `offset` and `stop`. One long function, since a warm start
    spends a tenth of its time here; most operands are one byte."""
    found = []
    while offset < stop:
        op = OPS[code[offset]]
        kind = op.operand
        end = offset + 1
        arg, captures_with, positions = 0, False, _NO_POSITIONS
        if kind is Operand.INDEX:
            arg = code[end]
            if arg < 0x80:
                end += 1
            else:
                arg, end = decode_uvarint(code, end)
        elif kind is Operand.JUMP:
            end = offset + 3
            arg = end + (code[offset + 1] | code[offset + 2] << 8)
        elif kind is Operand.COERCION:
            arg = code[end]
            end += 1
        elif kind is Operand.CLOSURE:
            arg = code[end]
            if arg < 0x80:
                end += 1
            else:
                arg, end = decode_uvarint(code, end)
            packed = code[end]
            if packed < 0x80:
                end += 1
            else:
                packed, end = decode_uvarint(code, end)
            captures_with = bool(packed & 1)
            if packed > 1:
                positions, end = _decode_positions(code, end, packed >> 1)
        # A third of what calling Instruction costs.
        found.append(tuple.__new__(Instruction, (offset, op, arg, captures_with, positions, end)))
        offset = end
    return found


def _decode_positions(code: bytes | bytearray, offset: int, count: int) -> tuple[tuple[Position, ...], int]:
    end = offset + count
    window = code[offset:end]
    if len(window) == count and (not window or max(window) < 0x80):
        return tuple([_POSITIONS[byte] for byte in window]), end
    positions = []
    for _ in range(count):
        position, offset = decode_uvarint(code, offset)
        positions.append(Position(position))
    return tuple(positions), offset


_NO_POSITIONS: tuple[Position, ...] = ()
_POSITIONS = [Position(byte) for byte in range(0x80)]
