"""`match` and `split`: regular expressions in time linear in the text, by RE2.

The patterns are POSIX extended ones; `posix_ere` translates them. Texts are matched as bytes.
Where a search meets alternatives of different lengths, libstdc++ compares the ways through
them, but only one way through each loop: `a*(ab)?|b` finds "aa" in "aab". Here the longest
match of all is taken, "aab". (One of a thousand random patterns tells the difference.)
"""

from __future__ import annotations

from functools import lru_cache

import re2

from aionix.builtins.posix_ere import PatternError, PatternTooLarge, Translation, translate
from aionix.builtins.registry import Lazy, PlainStr, builtin, expect_str
from aionix.errors import InvalidRegex
from aionix.values.limits import checkpoint
from aionix.values.strings import from_bytes, to_bytes
from aionix.values.thunk import Value

# RE2 keeps to this many bytes per pattern: its program, and the states it has seen.
BASE_MEMORY = 4 << 20
MEMORY_PER_BYTE = 256
CACHED_PATTERNS = 128

Groups = tuple[Value, ...]


class Regex:
    """A compiled pattern. `leftmost` prefers as Perl does, `longest` is for searching."""

    def __init__(self, translation: Translation) -> None:
        self.captures = translation.captures
        #: Nix's groups are RE2's, one for one.
        self.plain = all([len(numbers) == 1 for numbers in translation.captures])
        self.leftmost = _compile(translation.pattern, longest=False)
        self.longest = None if translation.ordered else _compile(translation.pattern, longest=True)

    def match(self, text: bytes, start: int = 0, end: int | None = None) -> re2._Match | None:
        """A match of all of `text[start:end]`."""
        return self.leftmost.fullmatch(text, start, end)

    def search(self, text: bytes, start: int) -> re2._Match | None:
        """The first match at or after `start`."""
        if self.longest is None:
            return self.leftmost.search(text, start)
        found = self.longest.search(text, start)
        if found is None or not self.captures:
            return found
        return self.match(text, *found.span())

    def groups(self, found: re2._Match) -> Groups:
        """What the groups captured: strings, null for those that took no part."""
        captured = found.groups()
        if not self.plain:
            captured = tuple([_last_set(captured, numbers) for numbers in self.captures])
        return tuple([None if group is None else from_bytes(group) for group in captured])


def _last_set(captured: tuple[bytes | None, ...], numbers: tuple[int, ...]) -> bytes | None:
    for number in reversed(numbers):
        if captured[number - 1] is not None:
            return captured[number - 1]
    return None


def _compile(pattern: bytes, *, longest: bool) -> re2._Regexp:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.dot_nl = True
    options.never_nl = False
    options.log_errors = False
    options.longest_match = longest
    options.max_mem = BASE_MEMORY + MEMORY_PER_BYTE * len(pattern)
    return re2._Regexp(pattern, options)


@lru_cache(maxsize=CACHED_PATTERNS)
def compile_regex(pattern: str) -> Regex:
    """Raises InvalidRegex."""
    try:
        return Regex(translate(to_bytes(pattern).decode("latin-1")))
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
    found = regex.match(to_bytes(expect_str(text)))
    return None if found is None else regex.groups(found)


@builtin("split")
def split(pattern: PlainStr, text: Lazy) -> Value:
    """The parts of `text` between the matches of `pattern`, and between them each match's groups."""
    regex = compile_regex(pattern)
    return _split(regex, to_bytes(expect_str(text)))


def _split(regex: Regex, text: bytes) -> Groups:
    parts: list[Value] = []
    kept = at = 0
    while at <= len(text) and (found := regex.search(text, at)) is not None:
        start, end = found.span()
        parts += (from_bytes(text[kept:start]), regex.groups(found))
        kept = end
        at = end if end > start else end + 1
        checkpoint()
    parts.append(from_bytes(text[kept:]))
    return tuple(parts)
