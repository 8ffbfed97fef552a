"""Where a piece of text stands.

A `SourceMap` lays all its files out on one line of byte offsets, so a `Span` is two integers
and stays valid without naming its file. Lines and columns are counted only when asked.

Files are kept as *latin-1 text*: one character per byte. Offsets are byte offsets (Nix counts
columns in bytes) and every byte string is a file, valid UTF-8 or not.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple
from weakref import ref

#: Texts that are forgotten before the table is cleared of them.
_SWEEP = 256


class Span(NamedTuple):
    """Bytes `start` up to, not including, `end`, on the line of all files of one `SourceMap`."""

    start: int
    end: int


class Position(NamedTuple):
    """A place as people read it: both numbers count from 1, columns count bytes."""

    line: int
    column: int


@dataclass(slots=True, eq=False, weakref_slot=True)
class Source:
    """One text: a file, or an expression given as a string.

    `name` is what error messages call it (an absolute path, or `«string»`), `text` has one
    character per byte, `base` is the offset of its first byte in the map.
    """

    name: str
    text: str
    base: int
    _line_starts: list[int] | None = None

    def span(self, start: int, end: int) -> Span:
        """The span of the bytes `start` to `end` of this text."""
        return Span(self.base + start, self.base + end)

    def position(self, offset: int) -> Position:
        """Line and column of a map-wide `offset`."""
        starts = self._starts()
        local = offset - self.base
        line = bisect_right(starts, local)
        return Position(line, local - starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of line `number`, decoded, without its line break."""
        starts = self._starts()
        begin = starts[number - 1]
        end = starts[number] if number < len(starts) else len(self.text)
        return decode(self.text[begin:end]).rstrip("\r\n")

    @property
    def line_count(self) -> int:
        return len(self._starts())

    def _starts(self) -> list[int]:
        if self._line_starts is None:
            starts = [0]
            find = self.text.find
            at = find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = find("\n", at + 1)
            self._line_starts = starts
        return self._line_starts


class SourceMap:
    """Every text that an evaluation has read, so that a span can be shown to a person.

    A service evaluates texts for ever: those that were added with `keep=False` are forgotten when nobody
    else holds their `Source`. A span that points into one is then shown as a place in `«forgotten»`.
    """

    def __init__(self, sources: Iterable[Source] = (), end: int = 1) -> None:
        self._kept = list(sources)
        self._sources = [ref(source) for source in self._kept]
        self._bases = [source.base for source in self._kept]
        self._end = end  # offset 0 stands for "nowhere"
        self._gone = 0

    def add(self, name: str, data: bytes | str, *, keep: bool = True) -> Source:
        """Takes in a text and returns its `Source`; `str` is stored as UTF-8."""
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogateescape")
        source = Source(name, data.decode("latin-1"), self._end)
        if keep:
            self._kept.append(source)
        if self._gone > _SWEEP:
            self._sweep()
        self._sources.append(ref(source, self._count))
        self._bases.append(self._end)
        self._end += len(data) + 1  # room for the end-of-file position
        return source

    def _count(self, _: object) -> None:
        # May be called at any time, even in the middle of a search: nothing is moved.
        self._gone += 1

    def _sweep(self) -> None:
        self._gone = 0
        alive = [source for source in [held() for held in self._sources] if source is not None]
        self._sources = [ref(source, self._count) for source in alive]
        self._bases = [source.base for source in alive]

    def source_at(self, offset: int) -> Source:
        """The text that holds the byte `offset`."""
        index = bisect_right(self._bases, offset) - 1
        source = self._sources[index]() if index >= 0 else None
        if source is None or offset > source.base + len(source.text):
            return Source("«forgotten»", "", offset)
        return source

    def __getstate__(self) -> tuple[list[Source], int]:
        held = [source() for source in self._sources]
        return [source for source in held if source is not None], self._end

    def __setstate__(self, state: tuple[list[Source], int]) -> None:
        self.__init__(*state)  # type: ignore[misc]  # it is this class, whoever inherits from it

    def text_of(self, span: Span) -> str:
        """The text under `span`, decoded."""
        source = self.source_at(span.start)
        return decode(source.text[span.start - source.base : span.end - source.base])

    def position(self, span: Span) -> Position:
        """Where `span` begins."""
        return self.source_at(span.start).position(span.start)

    def describe(self, span: Span) -> str:
        """`file:line:column` of the beginning of `span`."""
        source = self.source_at(span.start)
        line, column = source.position(span.start)
        return f"{source.name}:{line}:{column}"

    def where(self, span: Span) -> dict[str, object]:
        """`span` as plain data: the file, where it begins, where it ends."""
        source = self.source_at(span.start)
        line, column = source.position(span.start)
        end_line, end_column = source.position(span.end)
        return {
            "file": source.name,
            "line": line,
            "column": column,
            "end_line": end_line,
            "end_column": end_column,
        }

    def only(self, spans: Iterable[Span]) -> SourceMap:
        """A map with no other texts than those that `spans` lie in; their offsets stay."""
        found = {source.base: source for source in [self.source_at(span.start) for span in spans]}
        return SourceMap([found[base] for base in sorted(found)], self._end)


def decode(latin: str) -> str:
    """Turns one-character-per-byte text into the string that a Nix program sees."""
    if latin.isascii():
        return latin
    return latin.encode("latin-1").decode("utf-8", "surrogateescape")
