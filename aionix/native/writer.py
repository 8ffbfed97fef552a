"""The text of a Python function while it is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

#: What constants begin with in the text; no other string is ever in it.
MARK = "§"
#: CPython refuses a hundred levels of indentation.
MAX_LEVELS = 90


class Untranslatable(Exception):
    """This code stays with the interpreter."""


class Writer:
    """Lines, each with the offset in the chunk of the instruction that it belongs to."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.offsets: list[int] = []
        self.constants: list[object] = []
        self.offset = 0
        self._level = 1
        self._names = 0
        self._index: dict[int, str] = {}

    def line(self, text: str, offset: int | None = None) -> None:
        """Another line; its instruction is at `offset`, or the present one."""
        self.lines.append(" " * (self._level + 1) + text)
        self.offsets.append(self.offset if offset is None else offset)

    @contextmanager
    def block(self, head: str, offset: int | None = None) -> Iterator[None]:
        """What is written meanwhile is inside `head`."""
        self.line(head, offset)
        if self._level > MAX_LEVELS:
            raise Untranslatable("nested too deeply")
        self._level += 1
        before = len(self.lines)
        yield
        if len(self.lines) == before:
            self.line("pass")
        self._level -= 1

    def name(self) -> str:
        """A new local variable."""
        self._names += 1
        return f"t{self._names}"

    def constant(self, value: object) -> str:
        """How the text refers to `value`, any object."""
        if value is None or value is True or value is False:
            return str(value)
        if type(value) is int:
            return f"({value})" if value < 0 else str(value)
        mark = self._index.get(id(value))
        if mark is None:
            mark = self._index[id(value)] = f"'{MARK}{len(self.constants)}'"
            self.constants.append(value)  # which also keeps it, and so its id, alive
        return mark
