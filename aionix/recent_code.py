"""The code of texts that were evaluated lately: a service is asked the same again and again."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from aionix.compiler import CompileResult
from aionix.source import Source
from aionix.syntax.nodes import Expr

#: Characters of all texts. Tree and code take some 200 bytes for each: 13 MB.
MAX_CHARACTERS = 1 << 16


class Recent(NamedTuple):
    """What became of a text; it is only read."""

    source: Source
    expr: Expr
    compiled: CompileResult


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
        if key not in self._texts:
            return None
        self._texts.move_to_end(key)
        return self._texts[key]

    def add(self, code: str | bytes, location: str | None, base_dir: str, known: Recent) -> None:
        """Keeps what is known; not of texts that would push out half of the others."""
        key = (code, location, base_dir)
        if known.compiled.errors or len(code) > self._max // 2 or key in self._texts:
            return
        self._texts[key] = known
        self._characters += len(code)
        while self._characters > self._max:
            (gone, _, _), _ = self._texts.popitem(last=False)
            self._characters -= len(gone)
