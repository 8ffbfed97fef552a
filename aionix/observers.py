"""Watching an evaluation: what was compiled, and every instruction as it runs.

Observers cost nothing when there is none: with one, decoded code has extra instructions that
call it, and pairs are not joined.
"""

from __future__ import annotations

import sys
from typing import Protocol, TextIO

from aionix.bytecode.chunk import Lambda, decode
from aionix.bytecode.disassemble import disassemble
from aionix.source import SourceMap
from aionix.values.attrs import AttrSet
from aionix.values.printing import brief
from aionix.values.thunk import Value, evaluated


class CompilerObserver(Protocol):
    """Told of every piece of top-level code that was compiled; nested code hangs off it."""

    def compiled(self, code: Lambda) -> None: ...


class RuntimeObserver(Protocol):
    """Told of every instruction, before it runs."""

    def execute(self, code: Lambda, offset: int, stack: list[Value]) -> None: ...


class DisassemblingObserver:
    """Prints what was compiled, nested code included."""

    def __init__(self, sources: SourceMap, out: TextIO | None = None) -> None:
        self._sources = sources
        self._out = out or sys.stderr

    def compiled(self, code: Lambda) -> None:
        print(disassemble(code, self._sources), file=self._out)


class TracingObserver:
    """Prints one line per instruction: where in the code, the instruction, the top of the stack."""

    #: Values of the stack that a line shows, the top one first.
    SHOWN = 6

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr

    def execute(self, code: Lambda, offset: int, stack: list[Value]) -> None:
        label = decode(code.chunk, offset).op.label
        top = " ".join([_short(value) for value in stack[: -self.SHOWN - 1 : -1]])
        print(f"{code.name or code.kind:>12} {offset:04x} {label:<20} [ {top} ]", file=self._out)


class CountingObserver:
    """Counts instructions by name, in `counts`."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def execute(self, code: Lambda, offset: int, stack: list[Value]) -> None:
        label = decode(code.chunk, offset).op.label
        self.counts[label] = self.counts.get(label, 0) + 1


def _short(value: Value) -> str:
    value = evaluated(value)
    if type(value) is list:
        return "thunk"
    if type(value) is tuple:
        return f"list[{len(value)}]"
    if type(value) is AttrSet:
        return f"attrs[{len(value)}]"
    try:
        return brief(value)
    except Exception:  # what only the machine sees: NotFound
        return "internal"
