"""What the text of a string stands for: escapes, line breaks, indentation.

Works on one-character-per-byte text; decoding comes after, when the pieces are joined, because an
escape may cut a character into bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

T = TypeVar("T")

_SPECIAL: Final = re.compile(r"\\([\s\S])|\r\n?")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t"}


class Chunk(NamedTuple):
    """A piece of an indented string. What an escape stands for is never indentation."""

    text: str
    escaped: bool


def unescape_character(character: str) -> str:
    """What a backslash and `character` stand for."""
    return _ESCAPES.get(character, character)


def unescape(text: str) -> str:
    r"""The text of a `"string"`: escapes resolved, `\r\n` and `\r` as line breaks."""
    if "\\" not in text and "\r" not in text:
        return text
    return _SPECIAL.sub(_resolve, text)


def _resolve(match: re.Match[str]) -> str:
    escaped: str | None = match[1]
    return "\n" if escaped is None else unescape_character(escaped)


def strip_indentation(parts: Sequence[Chunk | T]) -> list[str | T]:
    """An indented string without the spaces that all its lines begin with, nor a blank last line.

    Lines of spaces only do not count. Only spaces are indentation, tabs are text. An interpolation
    or an escape ends the indentation of its line when widths are compared; when the spaces are
    taken away, an escaped line break begins a line (Nix does both).
    """
    width = _indentation(parts)
    at_line_start = True
    dropped = 0
    result: list[str | T] = []
    for part in parts:
        if not isinstance(part, Chunk):
            at_line_start, dropped = False, 0
            result.append(part)
            continue
        text, at_line_start, dropped = _strip(part.text, width, at_line_start, dropped)
        result.append(text)
    if parts and isinstance(parts[-1], Chunk):
        result[-1] = _without_blank_last_line(text)
    return result


def _indentation(parts: Sequence[Chunk | T]) -> int:
    """The smallest number of spaces before a line's first other character."""
    widths = []
    spaces: int | None = 0  # since the line began; None where something else has come
    for part in parts:
        if not isinstance(part, Chunk) or part.escaped:
            if spaces is not None:
                widths.append(spaces)
            spaces = None
            continue
        first, *lines = part.text.split("\n")
        if spaces is not None:
            spaces = _measure(first, spaces, widths)
        for line in lines:
            spaces = _measure(line, 0, widths)
    return min(widths, default=1_000_000)  # Nix's bound, never reached by text


def _measure(line: str, before: int, widths: list[int]) -> int | None:
    rest = line.lstrip(" ")
    width = before + len(line) - len(rest)
    if not rest:
        return width
    widths.append(width)
    return None


def _strip(text: str, width: int, at_line_start: bool, dropped: int) -> tuple[str, bool, int]:
    """`text` without indentation; whether its end is still in some, and how much of it is gone."""
    first, *lines = text.split("\n")
    stripped = []
    if at_line_start:
        stripped.append(first[min(_spaces(first), max(width - dropped, 0)) :])
        dropped += _spaces(first)
        at_line_start = dropped_only = not first.strip(" ")
        if not dropped_only:
            dropped = 0
    else:
        stripped.append(first)
    for line in lines:
        spaces = _spaces(line)
        stripped.append(line[min(spaces, width) :])
        at_line_start = spaces == len(line)
        dropped = spaces if at_line_start else 0
    return "\n".join(stripped), at_line_start, dropped


def _spaces(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _without_blank_last_line(text: str) -> str:
    before, line_break, last = text.rpartition("\n")
    return before + line_break if line_break and not last.strip(" ") else text
