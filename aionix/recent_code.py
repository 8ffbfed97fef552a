"""The code of texts that were evaluated lately: a service is asked the same again and again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from aionix.source import Source
from aionix.syntax.nodes import Expr
from aionix.values.thunk import Entry
from aionix.vm.dependencies import Trail
from aionix.warnings import EvalWarning

#: Characters of all texts. Tree and code take some 200 bytes for each, Python code 300 more: 16 MB.
MAX_CHARACTERS = 1 << 15

#: What one text looked at, with whatever arguments, before it begins anew: this is kept with it.
MAX_PATHS = 1000


class Recent(NamedTuple):
    """What became of a text. Each evaluation has a thunk of its own with this `entry`, so that code which
    comes again is hot at last. `trail` is that of all of them, as a file's would be."""

    source: Source
    expr: Expr
    warnings: Sequence[EvalWarning]
    entry: Entry
    trail: Trail


_Key = tuple[str | bytes, str | None, str]


class RecentCode:
    """The last texts without mistakes, by text and place; the oldest go first."""

    def __init__(self, max_characters: int = MAX_CHARACTERS) -> None:
        self._max = max_characters
        self._texts: OrderedDict[_Key, Recent] = OrderedDict()
        self._characters = 0

    def get(self, code: str | bytes, location: str | None, base_dir: str) -> Recent | None:
        """What is known of a text that is said to be at that place."""
        key = (code, location, base_dir)
        known = self._texts.get(key)
        if known is None:
            return None
        if len(known.trail.paths) + len(known.trail.used) > MAX_PATHS:
            self._forget(key)
            return None
        self._texts.move_to_end(key)
        return known

    def clear(self) -> None:
        self._texts.clear()
        self._characters = 0

    def add(self, code: str | bytes, location: str | None, base_dir: str, known: Recent) -> None:
        """Keeps what is known; not of texts that would push out half of the others."""
        key = (code, location, base_dir)
        if len(code) > self._max // 2 or key in self._texts:
            return
        self._texts[key] = known
        self._characters += len(code)
        while self._characters > self._max:
            self._forget(next(iter(self._texts)))

    def _forget(self, key: _Key) -> None:
        del self._texts[key]
        self._characters -= len(key[0])
