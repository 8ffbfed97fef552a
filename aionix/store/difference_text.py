"""A difference in words: the most important first, and of long texts the part that differs."""

from __future__ import annotations

import re
from itertools import islice

from aionix.store.difference import Change, Difference

#: What is told at most: causes, changes of one, lines of one side of a change.
MAX_CAUSES, MAX_CHANGES, MAX_LINES = 5, 12, 4
MAX_WIDTH = 100
#: Characters that are shown before and after what differs in a line.
CONTEXT = 30
#: Of a way longer than this, the middle is left out.
MAX_WAY = 6


def tell(difference: Difference) -> str:
    """The headline, and the nearest causes with what changed there; ends with a line break."""
    ways = list(islice(difference.causes(), MAX_CAUSES + 1))
    lines = [_headline(difference, ways)]
    for way in ways[:MAX_CAUSES]:
        lines += ["", _place(way), f"  - {way[-1].left}", f"  + {way[-1].right}"]
        for change in way[-1].changes[:MAX_CHANGES]:
            lines += ["  " + line for line in _told(change)]
        lines += _more("  ", len(way[-1].changes) - MAX_CHANGES, "change")
    if len(ways) > MAX_CAUSES:
        rest = sum(1 for _ in difference.causes()) - MAX_CAUSES
        lines += ["", *_more("", rest, "cause")]
    return "\n".join([*lines, ""])


def _headline(difference: Difference, ways: list[list[Difference]]) -> str:
    way = ways[0]
    line = f"{difference.name} differs"
    if len(way) > 1:
        line += f" because of its input {way[1].name}"
    if len(way) > 2:
        line += f", that because of {way[-1].name}"
    line += f" ({way[-1].changes[0].what})"
    return line + ("; the outputs are the same" if difference.same_outputs else "")


def _place(way: list[Difference]) -> str:
    names = [each.name for each in reversed(way)]
    if len(names) > MAX_WAY:
        names[MAX_WAY - 2 : -2] = [f"{len(names) - MAX_WAY} others"]
    end = " (same outputs)" if way[-1].same_outputs else ""
    return ", needed by ".join(names) + end


def _told(change: Change) -> list[str]:
    what, left, right = change
    if left is None or right is None:
        verb, text = ("removed", left) if right is None else ("added", right)
        first, *rest = (text or "").split("\n")
        return [_line(f"{what} {verb}: ", first), *_more("  ", len(rest), "line")]
    ours, theirs = _parts(left, right)
    return [f"{what}:", *_side("- ", ours), *_side("+ ", theirs)]


def _side(sign: str, lines: list[str]) -> list[str]:
    shown = [_line(f"  {sign}", line) for line in lines[:MAX_LINES]]
    return shown + _more(f"  {sign}", len(lines) - MAX_LINES, "line")


def _more(indent: str, count: int, what: str) -> list[str]:
    return [f"{indent}... and {count} more {what}{'s' if count > 1 else ''}"] if count > 0 else []


def _parts(left: str, right: str) -> tuple[list[str], list[str]]:
    """What differs: the lines between those at the begin and the end that both have; if that is one
    line, and long, the part of it that differs."""
    if "\n" in left or "\n" in right:
        ours, theirs = left.split("\n"), right.split("\n")
        start = _common(ours, theirs)
        end = _common(ours[start:][::-1], theirs[start:][::-1])
        ours, theirs = ours[start : len(ours) - end], theirs[start : len(theirs) - end]
        if len(ours) != 1 or len(theirs) != 1:
            return ours, theirs
        left, right = ours[0], theirs[0]
    start = _common(left, right)
    end = _common(left[start:][::-1], right[start:][::-1])
    return [_window(left, start, len(left) - end)], [_window(right, start, len(right) - end)]


def _window(line: str, start: int, end: int) -> str:
    """The part from `start` to `end` with something around it, if the line is long."""
    if len(line) <= MAX_WIDTH:
        return line
    start, end = max(start - CONTEXT, 0), min(end + CONTEXT, len(line))
    return ("…" if start else "") + line[start:end] + ("…" if end < len(line) else "")


def _common(left: str | list[str], right: str | list[str]) -> int:
    """How many items both begin with."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if left[low:middle] == right[low:middle] else (low, middle - 1)
    return low


def _line(head: str, text: str) -> str:
    """A line that fits on a terminal, and does nothing to it."""
    if len(text) > MAX_WIDTH:
        text = text[: MAX_WIDTH - 1] + "…"
    return head + re.sub("[\0-\x1f\x7f-\x9f]", lambda char: f"\\x{ord(char[0]):02x}", text)
