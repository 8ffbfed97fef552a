"""JSON listings, read piece by piece: a server may send what it likes, and the event loop must go on.

`json.loads` holds the interpreter for 100 ms with a listing of 7 MB, in a worker thread too. Here every entry
is decoded by itself, and between two of them other threads have their turn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


class Entry(dict[str, object]):
    """An object in a listing, whose members are asked for by type; ValueError if one is of another."""

    def text(self, name: str) -> str:
        value = self.get(name)
        if not isinstance(value, str):
            raise ValueError(f"an entry has no {name}")
        return value

    def number(self, name: str) -> int | None:
        value = self.get(name)
        if value is not None and (not isinstance(value, int) or value < 0):
            raise ValueError(f"the {name} of an entry is no size")
        return value


@dataclass
class Document:
    """A JSON object: the entries in the array that is asked for, and its other members."""

    entries: list[Entry] = field(default_factory=list)
    members: dict[str, object] = field(default_factory=dict)


def read_array(data: bytes) -> list[Entry]:
    """A JSON array of objects. ValueError if it is none."""
    scanner = _Scanner(data)
    entries = list(scanner.entries())
    scanner.end()
    return entries


def read_object(data: bytes, array: str) -> Document:
    """A JSON object whose member `array` is an array of objects. ValueError if it is none."""
    scanner = _Scanner(data)
    document = Document()
    for name in scanner.names():
        if name == array:
            document.entries = list(scanner.entries())
        else:
            document.members[name] = scanner.value()
    scanner.end()
    return document


class _Scanner:
    """Goes through JSON text; a byte that is not UTF-8 becomes a surrogate, as in file names."""

    def __init__(self, data: bytes) -> None:
        self._text = data.decode("utf-8", "surrogateescape")
        self._at = 0

    def value(self) -> object:
        self._skip()
        try:
            value, self._at = _DECODER.raw_decode(self._text, self._at)
        except RecursionError:
            raise ValueError("it is nested too deep") from None
        return value

    def entries(self) -> Iterator[Entry]:
        for _ in self._between("[", "]"):
            value = self.value()
            if not isinstance(value, dict):
                raise ValueError("an entry is no object")
            yield Entry(value)

    def names(self) -> Iterator[str]:
        for _ in self._between("{", "}"):
            name = self.value()
            if not isinstance(name, str) or not self._take(":"):
                raise ValueError("it is not JSON")
            yield name

    def end(self) -> None:
        self._skip()
        if self._at != len(self._text):
            raise ValueError("something follows it")

    def _between(self, start: str, end: str) -> Iterator[None]:
        if not self._take(start):
            raise ValueError(f"it does not begin with {start}")
        if self._take(end):
            return
        while True:
            yield
            if self._take(end):
                return
            if not self._take(","):
                raise ValueError("it is not JSON")

    def _take(self, mark: str) -> bool:
        self._skip()
        found = self._text.startswith(mark, self._at)
        self._at += found
        return found

    def _skip(self) -> None:
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at
