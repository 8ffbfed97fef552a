"""`match` and `split`: regular expressions in time linear in the text, by RE2.

The patterns are POSIX extended ones; `posix_ere` translates them. Texts are matched as bytes.
Where a search meets alternatives of different lengths, libstdc++ compares the ways through
them, but only one way through each loop: `a*(ab)?|b` finds "aa" in "aab". Here the longest
match of all is taken, "aab". (One of a thousand random patterns tells the difference.)
"""

from __future__ import annotations

import re
from functools import lru_cache

import re2

from aionix.builtins.posix_ere import PatternError, PatternTooLarge, Translation, translate
from aionix.builtins.registry import Lazy, PlainStr, builtin, expect_str
from aionix.errors import InvalidRegex
from aionix.values.limits import LARGE, look_around
from aionix.values.strings import from_bytes, plain, to_bytes
from aionix.values.thunk import Value

# RE2 keeps to this many bytes per pattern: its program, and the states it has seen.
BASE_MEMORY = 4 << 20
MEMORY_PER_BYTE = 256
CACHED_PATTERNS = 128

Groups = tuple[Value, ...]
#: Where a match is and then each of its groups, (-1, -1) for those that took no part.
Spans = list[tuple[int, int]]

# What `re2` wraps gives a list of spans in 0.7 us for a short match; with its own match object it is 3.4.
_ANYWHERE, _WHOLE = re2._re2.RE2.Anchor.UNANCHORED, re2._re2.RE2.Anchor.ANCHOR_BOTH


# What stands for itself, and nothing else.
_LITERAL = re.compile(r"(?:[^.[\\()*+?{|^$]|\\[.[\\()*+?{|^$])+")


def literal_of(pattern: str) -> str | None:
    """The one ASCII text that `pattern` matches, if it is of that kind."""
    return re.sub(r"\\(.)", r"\1", pattern) if pattern.isascii() and _LITERAL.fullmatch(pattern) else None


class Regex:
    """A compiled pattern. `leftmost` prefers as Perl does, `longest` is for searching; `literal` is the one
    text that it matches, if it is so simple."""

    def __init__(self, translation: Translation, literal: str | None) -> None:
        self.literal = literal
        self.captures = translation.captures
        #: Nix's groups are RE2's, one for one.
        self.plain = all([len(numbers) == 1 for numbers in translation.captures])
        self.leftmost = _compile(translation.pattern, longest=False)
        self.longest = None if translation.ordered else _compile(translation.pattern, longest=True)

    def match(self, text: bytes, start: int = 0, end: int | None = None) -> Spans | None:
        """A match of all of `text[start:end]`."""
        spans = self.leftmost.Match(_WHOLE, text, start, len(text) if end is None else end)
        return None if spans[0][0] < 0 else spans

    def search(self, text: bytes, start: int) -> Spans | None:
        """The first match at or after `start`."""
        spans = (self.longest or self.leftmost).Match(_ANYWHERE, text, start, len(text))
        if spans[0][0] < 0:
            return None
        return self.match(text, *spans[0]) if self.longest is not None and self.captures else spans

    def groups(self, text: bytes, spans: Spans) -> Groups:
        """What the groups captured: strings, null for those that took no part."""
        groups = spans[1:] if self.plain else [_last_set(spans, numbers) for numbers in self.captures]
        return tuple([None if start < 0 else from_bytes(text[start:end]) for start, end in groups])


def _last_set(spans: Spans, numbers: tuple[int, ...]) -> tuple[int, int]:
    for number in reversed(numbers):
        if spans[number][0] >= 0:
            return spans[number]
    return -1, -1


def _compile(pattern: bytes, *, longest: bool) -> re2._re2.RE2:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.dot_nl = True
    options.never_nl = False
    options.log_errors = False
    options.longest_match = longest
    options.max_mem = BASE_MEMORY + MEMORY_PER_BYTE * len(pattern)
    return re2._Regexp(pattern, options)._regexp


@lru_cache(maxsize=CACHED_PATTERNS)
def compile_regex(pattern: str) -> Regex:
    """Raises InvalidRegex."""
    try:
        return Regex(translate(to_bytes(pattern).decode("latin-1")), literal_of(pattern))
    except PatternError:
        raise InvalidRegex(f"invalid regular expression '{pattern}'") from None
    except (PatternTooLarge, re2.error):
        raise InvalidRegex(f"memory limit exceeded by regular expression '{pattern}'") from None


@builtin("match")
def match(pattern: PlainStr, text: Lazy) -> Value:
    """The groups of the extended POSIX regular expression `pattern`, if it matches all of `text`.

    Null if it does not match; a group that took no part is null.
    """
    regex = compile_regex(pattern)
    data = to_bytes(expect_str(text))
    spans = regex.match(data)
    return None if spans is None else regex.groups(data, spans)


@builtin("split")
def split(pattern: PlainStr, text: Lazy) -> Value:
    """The parts of `text` between the matches of `pattern`, and between them each match's groups."""
    regex = compile_regex(pattern)
    whole = expect_str(text)
    if regex.literal is not None and whole.isascii() and len(whole) < LARGE:
        return _split_at(regex.literal, plain(whole))
    return _split(regex, to_bytes(whole))


def _split_at(literal: str, text: str) -> Groups:
    # What lib.splitString comes to: a fifth of the time.
    pieces = text.split(literal)
    parts: list[Value] = [()] * (2 * len(pieces) - 1)
    parts[::2] = pieces
    return tuple(parts)


def _split(regex: Regex, text: bytes) -> Groups:
    parts: list[Value] = []
    kept = at = 0
    while at <= len(text) and (spans := regex.search(text, at)) is not None:
        start, end = spans[0]
        parts += (from_bytes(text[kept:start]), regex.groups(text, spans) if len(spans) > 1 else ())
        kept = end
        at = end if end > start else end + 1
        look_around()
    parts.append(from_bytes(text[kept:]))
    return tuple(parts)
