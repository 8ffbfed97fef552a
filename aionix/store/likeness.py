"""Texts that mention store paths, compared as if some of these were the same."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aionix.store.derivation import Derivation, in_order
from aionix.store.nix32 import ALPHABET
from aionix.store.paths import DIGEST_LENGTH

# The digits of a store path, or of a placeholder.
_DIGITS = re.compile(rf"(?<![0-9A-Za-z])(?:[{ALPHABET}]{{52}}|[{ALPHABET}]{{32}}(?=-))")
# What stands for a path that has a counterpart; no string of Nix has a NUL.
_MARK = re.compile("\0([0-9]+)\0")


class Likeness:
    """Pairs of store paths, or of what stands for them, that count as the same."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._left: dict[str, tuple[str, str]] = {}
        self._right: dict[str, tuple[str, str]] = {}

    def add(self, left: str, right: str) -> None:
        if left == right:
            return
        mark = f"\0{len(self._names)}\0"
        for path, marks in ((left, self._left), (right, self._right)):
            digits, rest = _split(path)
            marks[digits] = rest, mark
        self._names.append(_split(right)[1])

    def add_outputs(self, left: Mapping[str, str], right: Mapping[str, str]) -> None:
        """Outputs that have the same name."""
        for name in left:
            if name in right:
                self.add(left[name], right[name])

    def compare(self, left: str, right: str) -> tuple[str, str] | None:
        """Both texts as they are to be shown, counterparts as `…-name`; None if they are alike."""
        ours, theirs = _marked(left, self._left), _marked(right, self._right)
        if ours == theirs:
            return None
        shown = self._shown(ours), self._shown(theirs)
        return shown if shown[0] != shown[1] else (left, right)

    def _shown(self, text: str) -> str:
        return _MARK.sub(lambda mark: "…" + self._names[int(mark[1])], text)


def _split(path: str) -> tuple[str, str]:
    """The digits of a store path, and the rest, dash included; a placeholder is all digits."""
    base = path.rpartition("/")[2]
    return (base[:DIGEST_LENGTH], base[DIGEST_LENGTH:]) if "-" in base else (base, "")


def _marked(text: str, marks: Mapping[str, tuple[str, str]]) -> str:
    pieces, end = [], 0
    for found in _DIGITS.finditer(text):
        rest, mark = marks.get(found[0], ("", ""))
        if mark and text.startswith(rest, found.end()):
            pieces += [text[end : found.start()], mark]
            end = found.end() + len(rest)
    return "".join([*pieces, text[end:]]) if pieces else text


def first_mentions(derivation: Derivation) -> dict[str, int]:
    """The digits of all store paths in the derivation's texts; which came first, second, ..."""
    environment = derivation.environment
    values = [environment[name] for name in in_order(environment)]
    texts = [derivation.builder, *derivation.arguments, *values]
    found: dict[str, int] = {}
    for text in texts:
        for digits in _DIGITS.findall(text):
            found.setdefault(digits, len(found))
    return found


def rank(path: str, mentions: Mapping[str, int]) -> int:
    """Where `path` comes in `first_mentions`; behind all others if it does not."""
    return mentions.get(_split(path)[0], len(mentions))
