"""Code as text: one line an instruction, nested Lambdas after the code that makes them."""

from __future__ import annotations

from aionix.bytecode.chunk import Chunk, Global, Instruction, Lambda, instructions
from aionix.bytecode.opcodes import Op, Operand, Position
from aionix.source import SourceMap

# Longer strings are cut: a line of a disassembly is there to be overlooked at a glance.
MAX_TEXT = 40


def disassemble(code: Lambda, sources: SourceMap | None = None) -> str:
    """The instructions of `code` and of all Lambdas in it.

    Each line has the offset in hexadecimal, the line of the source (`|` where it is that of the line
    before; left out without `sources`), and the instruction with its operand and what it stands for.
    """
    pending, blocks = [code], []
    while pending:
        code = pending.pop(0)
        blocks.append("\n".join([_title(code), *disassemble_chunk(code.chunk, sources)]))
        pending += [constant for constant in code.chunk.constants if isinstance(constant, Lambda)]
    return "\n\n".join(blocks) + "\n"


def disassemble_chunk(chunk: Chunk, sources: SourceMap | None = None) -> list[str]:
    """One line for each instruction."""
    width = len(f"{len(chunk.code):x}")
    lines, previous = [], 0
    for instruction in instructions(chunk):
        columns = [f"{instruction.offset:0{width}x}"]
        if sources is not None:
            line = sources.position(chunk.span_at(instruction.offset)).line
            columns.append("   |" if line == previous else f"{line:4}")
            previous = line
        columns.append(_text(chunk, instruction))
        lines.append("\t".join(columns))
    return lines


def _title(code: Lambda) -> str:
    name = f" '{code.name}'" if code.name is not None else ""
    return f"=== {code.kind}{name}, {code.upvalue_count} upvalues ==="


def _text(chunk: Chunk, instruction: Instruction) -> str:
    op, arg = instruction.op, instruction.arg
    label = op.label
    if op is Op.CONSTANT:
        return f"{label}({_constant(chunk.constants[arg])}@{arg})"
    if op.operand is Operand.NONE:
        return label
    if op.operand is Operand.JUMP:
        return f"{label}({arg - instruction.end} -> {arg:x})"
    if op.operand is Operand.CLOSURE:
        return f"{label}({_closure(chunk, instruction)})"
    return f"{label}({arg})"


def _closure(chunk: Chunk, instruction: Instruction) -> str:
    name = getattr(chunk.constants[instruction.arg], "name", None)
    parts = [f"BP @ {instruction.arg}" if name is None else f"BP @ {instruction.arg} '{name}'"]
    if instruction.captures_with:
        parts.append("captures with")
    parts.append(f"{len(instruction.positions)} upvalues")
    return ", ".join(parts + [_position(position) for position in instruction.positions])


def _position(position: Position) -> str:
    if position.is_upvalue:
        return f"upvalue {position.index}"
    return f"deferred local {position.index}" if position.is_deferred else f"local {position.index}"


def _constant(constant: object) -> str:
    if isinstance(constant, Global):
        return f"global {constant.name}"
    if isinstance(constant, str):
        return _quoted(constant)
    if constant is None or isinstance(constant, bool):
        return {None: "null", True: "true", False: "false"}[constant]
    return str(getattr(constant, "text", constant))


def _quoted(text: str) -> str:
    shown = text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
    return '"' + "".join([char if char.isprintable() else repr(char)[1:-1] for char in shown]) + '"'
