"""Chunks: encodings, jumps, constants, spans. The vectors of vu128 are tvix-eval's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aionix.bytecode.chunk import Chunk, Global, decode, decode_uvarint, encode_uvarint, instructions
from aionix.bytecode.opcodes import OPS, Op, Operand, Position
from aionix.errors import CompileError
from aionix.source import Span

HERE = Span(1, 2)


@pytest.mark.parametrize(
    ("number", "encoded"),
    [
        (0, "00"),
        (0x7F, "7f"),
        (0x80, "80 02"),
        (12345, "b9 c0"),
        (0xABCDE, "de e6 55"),
        ((1 << 21), "e0 00 00 02"),
        (0x12345678, "f3 78 56 34 12"),
        (1 << 32, "f4 00 00 00 00 01"),
        (2**64 - 1, "f7 ff ff ff ff ff ff ff ff"),
    ],
)
def test_a_number_has_this_encoding(number: int, encoded: str) -> None:
    assert encode_uvarint(number).hex(" ") == encoded


@given(st.integers(0, 2**64 - 1), st.binary(max_size=3), st.binary(max_size=3))
def test_decoding_gives_the_number_back_and_stops_behind_it(number: int, before: bytes, after: bytes) -> None:
    data = before + encode_uvarint(number) + after
    assert decode_uvarint(data, len(before)) == (number, len(data) - len(after))


@given(st.integers(0, 2**64 - 1))
def test_the_first_byte_tells_the_length(number: int) -> None:
    encoded = encode_uvarint(number)
    assert decode_uvarint(encoded[:1])[1] == len(encoded)


def test_an_overlong_encoding_is_read() -> None:
    assert decode_uvarint(bytes([0x85, 0])) == (5, 2)


def test_missing_bytes_count_as_zero() -> None:
    assert decode_uvarint(bytes([0xF3, 1]))[0] == 1


def test_push_op_returns_the_offset() -> None:
    chunk = Chunk()
    assert chunk.push_op(Op.ADD, HERE) == 0
    assert chunk.push_op(Op.RETURN, HERE) == 1
    assert chunk.code == bytes([4, 46])


def test_push_op_with_arg_appends_the_operand() -> None:
    chunk = Chunk()
    chunk.push_op_with_arg(Op.CONSTANT, 42, HERE)
    chunk.push_op_with_arg(Op.GET_LOCAL, 12345, HERE)
    assert chunk.code == bytes([0, 42, 36, 0xB9, 0xC0])


def test_a_jump_is_patched_to_lead_to_the_end() -> None:
    chunk = Chunk()
    chunk.push_op_with_arg(Op.CONSTANT, 0, HERE)
    jump = chunk.push_jump(Op.JUMP, HERE)
    chunk.push_op_with_arg(Op.CONSTANT, 1, HERE)
    chunk.patch_jump(jump)
    chunk.push_op(Op.RETURN, HERE)
    assert chunk.code.hex(" ") == "00 00 0d 02 00 00 01 2e"
    assert chunk.read_jump(jump) == 7


@pytest.mark.parametrize(("distance", "fits"), [(0xFFFF, True), (0x10000, False)])
def test_a_jump_too_far_is_an_error_and_never_wraps(distance: int, fits: bool) -> None:
    chunk = Chunk()
    jump = chunk.push_jump(Op.JUMP, HERE)
    chunk.code += bytes(distance)
    if fits:
        chunk.patch_jump(jump)
        assert chunk.read_jump(jump) == len(chunk.code)
    else:
        with pytest.raises(CompileError):
            chunk.patch_jump(jump)


def test_equal_constants_share_an_index_unless_their_types_differ() -> None:
    chunk = Chunk()
    constants = [1, True, 1.0, "1", 1, Global("1"), "1"]
    assert [chunk.add_constant(constant) for constant in constants] == [0, 1, 2, 3, 0, 4, 3]


def test_a_span_covers_all_bytes_until_the_next() -> None:
    chunk = Chunk()
    chunk.push_op_with_arg(Op.CONSTANT, 12345, Span(1, 2))
    chunk.push_op(Op.FORCE, Span(1, 2))
    chunk.push_op(Op.RETURN, Span(3, 4))
    assert [chunk.span_at(offset).start for offset in range(5)] == [1, 1, 1, 1, 3]


def test_there_are_48_instructions_in_order() -> None:
    assert [int(op) for op in Op] == list(range(48))
    assert int(Op.RETURN) == 46
    assert Op.VALIDATE_CLOSED_FORMALS.label == "OpValidateClosedFormals"


def test_every_byte_has_an_instruction() -> None:
    assert len(OPS) == 256
    assert set(OPS[47:]) == {Op.INVALID}


def test_operands_are_those_of_tvix() -> None:
    numbers = {kind: [int(op) for op in Op if op.operand is kind] for kind in Operand}
    assert numbers[Operand.INDEX] == [0, 19, 25, 28, 30, 36, 37, 40, 45]
    assert numbers[Operand.JUMP] == [13, 14, 15, 16, 17, 18]
    assert numbers[Operand.COERCION] == [31]
    assert numbers[Operand.CLOSURE] == [41, 42, 43]


@given(st.integers(0, 2**40))
def test_positions_know_their_kind_and_index(index: int) -> None:
    stack, deferred, upvalue = Position.stack(index), Position.deferred(index), Position.upvalue(index)
    assert {stack.index, deferred.index, upvalue.index} == {index}
    assert [position.is_deferred for position in (stack, deferred, upvalue)] == [False, True, False]
    assert [position.is_upvalue for position in (stack, deferred, upvalue)] == [False, False, True]
    assert (stack, deferred, upvalue) == (index << 2, index << 2 | 1, index << 2 | 2)


def test_a_closure_is_decoded_with_its_positions() -> None:
    chunk = Chunk()
    chunk.push_op_with_arg(Op.THUNK_SUSPENDED, 3, HERE)
    chunk.push_uvarint(2 << 1 | 1)
    chunk.push_uvarint(Position.deferred(40))
    chunk.push_uvarint(Position.upvalue(1))
    chunk.push_op(Op.RETURN, HERE)
    closure = decode(chunk, 0)
    assert (closure.arg, closure.captures_with, closure.positions) == (3, True, (40 << 2 | 1, 6))
    assert [instruction.op for instruction in instructions(chunk)] == [Op.THUNK_SUSPENDED, Op.RETURN]
