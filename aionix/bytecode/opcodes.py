"""The instructions: one line each, with number, operand and stack picture.

An instruction is one byte, then its operand. Numbers and encodings are those of tvix-eval, so that its
disassemblies can be compared with ours. Stack pictures read bottom to top, `before -> after`; a value is
*evaluated* unless the picture says `lazy`, which may be a thunk. A frame's slots are the positions
in its own stack, slot 0 the lowest; a function finds its argument there.

`ThunkClosure` makes a function like `Closure`, but lets it look unevaluated until somebody forces it,
since C++ Nix prints `[ (x: x) ]` as `[ <CODE> ]`; no code has to run for that force.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Self


class Operand(Enum):
    """What follows the instruction byte."""

    NONE = "nothing"
    INDEX = "a vu128: index of a constant, slot or upvalue, or a count"
    JUMP = "two bytes, little endian: how far to go, counted from the next instruction"
    COERCION = "one byte: bit 0 strong coercion, bit 1 copy paths to the store"
    CLOSURE = "vu128 constant of the Lambda, vu128 count << 1 | captures_with, count x vu128 Position"


_NONE, _INDEX, _JUMP, _COERCION, _CLOSURE = Operand


class Op(IntEnum):
    """`effect`: how the stack's height changes (a jump's: when not taken), plus operand * `per`."""

    operand: Operand
    effect: int
    per: int
    picture: str

    def __new__(cls, value: int, operand: Operand, effect: int, per: int, picture: str) -> Self:
        op = int.__new__(cls, value)
        op._value_ = value
        op.operand, op.effect, op.per, op.picture = operand, effect, per, picture
        return op

    @property
    def label(self) -> str:
        """The name in disassemblies: `OpGetLocal`."""
        return "Op" + "".join(word.capitalize() for word in self.name.split("_"))

    # fmt: off
    CONSTANT = 0, _INDEX, 1, 0, "-> constant; a Global stands for what the VM bound it to"
    POP = 1, _NONE, -1, 0, "a ->"
    INVERT = 2, _NONE, 0, 0, "bool -> not bool"
    NEGATE = 3, _NONE, 0, 0, "a -> 0 - a"
    ADD = 4, _NONE, -1, 0, "a b -> a + b, also strings and paths"
    SUB = 5, _NONE, -1, 0, "a b -> a - b"
    MUL = 6, _NONE, -1, 0, "a b -> a * b"
    DIV = 7, _NONE, -1, 0, "a b -> a / b"
    EQUAL = 8, _NONE, -1, 0, "a b -> a == b"
    LESS = 9, _NONE, -1, 0, "a b -> a < b"
    LESS_OR_EQ = 10, _NONE, -1, 0, "a b -> not (b < a)"
    MORE = 11, _NONE, -1, 0, "a b -> b < a"
    MORE_OR_EQ = 12, _NONE, -1, 0, "a b -> not (a < b)"
    JUMP = 13, _JUMP, 0, 0, "->"
    JUMP_IF_TRUE = 14, _JUMP, 0, 0, "bool -> bool; it stays in both cases; type error unless a bool"
    JUMP_IF_FALSE = 15, _JUMP, 0, 0, "bool -> bool; it stays in both cases; type error unless a bool"
    JUMP_IF_CATCHABLE = 16, _JUMP, 0, 0, "never emitted: errors are exceptions"
    JUMP_IF_NOT_FOUND = 17, _JUMP, 0, 0, "lazy -> lazy, or NotFound -> (popped) and jump"
    JUMP_IF_NO_FINALISE_REQUEST = 18, _JUMP, 0, 0, "never emitted: Finalise is harmless"
    ATTRS = 19, _INDEX, 1, -2, "name1 lazy1 .. namen lazyn -> set; null drops its pair, twice a name fails"
    ATTRS_UPDATE = 20, _NONE, -1, 0, "left right -> left // right"
    ATTRS_SELECT = 21, _NONE, -1, 0, "set name -> lazy; MissingAttribute"
    ATTRS_TRY_SELECT = 22, _NONE, -1, 0, "a name -> lazy, or NotFound where a is no set or has no such name"
    HAS_ATTR = 23, _NONE, -1, 0, "a name -> bool; false where a is no set (or NotFound)"
    VALIDATE_CLOSED_FORMALS = 24, _NONE, 0, 0, "set -> set, checked against the running Lambda's formals"
    PUSH_WITH = 25, _INDEX, 0, 0, "->; the lazy set in slot n becomes the innermost `with`"
    POP_WITH = 26, _NONE, 0, 0, "->; the innermost `with` ends"
    RESOLVE_WITH = 27, _NONE, 0, 0, "name -> lazy; from the innermost `with` that has it"
    LIST = 28, _INDEX, 1, -1, "lazy1 .. lazyn -> list"
    CONCAT = 29, _NONE, -1, 0, "left right -> left ++ right"
    INTERPOLATE = 30, _INDEX, 1, -1, "s1 .. sn -> s1s2..sn; s1 is lowest (tvix: highest)"
    COERCE_TO_STRING = 31, _COERCION, 0, 0, "a -> string"
    FIND_FILE = 32, _NONE, 0, 0, "string -> path: the answer of <string>"
    RESOLVE_HOME_PATH = 33, _NONE, 0, 0, "string `~/a` -> path"
    ASSERT_BOOL = 34, _NONE, 0, 0, "bool -> bool; type error otherwise"
    ASSERT_ATTRS = 35, _NONE, 0, 0, "set -> set; type error otherwise"
    GET_LOCAL = 36, _INDEX, 1, 0, "-> lazy, the content of slot n"
    CLOSE_SCOPE = 37, _INDEX, 0, -1, "x1 .. xn result -> result"
    ASSERT_FAIL = 38, _NONE, 0, 0, "message -> AssertionFailed; [left right message] -> tells how they differ"
    CALL = 39, _NONE, -1, 0, "lazy function -> function's result for lazy"
    GET_UPVALUE = 40, _INDEX, 1, 0, "-> lazy, upvalue n of this frame"
    CLOSURE = 41, _CLOSURE, 1, 0, "-> function; no position is deferred"
    THUNK_CLOSURE = 42, _CLOSURE, 1, 0, "-> lazy, a thunk around the function; may be deferred"
    THUNK_SUSPENDED = 43, _CLOSURE, 1, 0, "-> lazy, a thunk of the Lambda; may be deferred"
    FORCE = 44, _NONE, 0, 0, "lazy -> evaluated"
    FINALISE = 45, _INDEX, 0, 0, "->; fills the deferred positions, if any, of slot n"
    RETURN = 46, _NONE, 0, 0, "result -> the end of the frame"
    INVALID = 47, _NONE, 0, 0, "never emitted; every byte from here on"
    # fmt: on


#: The instruction of each byte.
OPS: tuple[Op, ...] = (*Op, *[Op.INVALID] * (256 - len(Op)))


class Position(int):
    """Where an upvalue is captured from, packed as `index << 2 | tag`."""

    __slots__ = ()

    @classmethod
    def stack(cls, slot: int) -> Position:
        """The content of `slot` of the frame that makes the closure."""
        return cls(slot << 2)

    @classmethod
    def deferred(cls, slot: int) -> Position:
        """As `stack`, but the slot is filled later: `Finalise` will look again."""
        return cls(slot << 2 | 1)

    @classmethod
    def upvalue(cls, index: int) -> Position:
        """The upvalue `index` of the frame that makes the closure."""
        return cls(index << 2 | 2)

    @property
    def index(self) -> int:
        return self >> 2

    @property
    def is_deferred(self) -> bool:
        return self & 3 == 1

    @property
    def is_upvalue(self) -> bool:
        return self & 3 == 2
