"""Strings: bytes, with a context that every result inherits. Paths where they are like strings."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TypeAlias

from aionix.builtins.loops import stretches
from aionix.builtins.mapped import Apply, consumes_map_after_string
from aionix.builtins.registry import Coerced, Lazy, List, builtin, expect_int, expect_str
from aionix.errors import IndexOutOfBounds, InvalidArgument
from aionix.values import strings
from aionix.values.attrs import AttrSet
from aionix.values.coercion import coerce_to_string, parts_of_text
from aionix.values.limits import LARGE, check_string, check_strings, checkpoint
from aionix.values.paths import Path
from aionix.values.strings import context_of, from_bytes, to_bytes, with_context
from aionix.values.thunk import Value, force
from aionix.values.walk import FEW, begin, end


@builtin("toString")
def to_string(value: Lazy) -> str:
    """The value as a string. Numbers in decimal notation, `true` as `"1"`, `false` and `null` as
    `""`, lists as their elements with spaces between, paths as their text, and sets through
    `__toString` or `outPath`."""
    value = force(value)
    return str(value) if type(value) is int else coerce_to_string(value, strong=True, copy=False)


@builtin("stringLength")
def string_length(text: Coerced) -> int:
    """The number of bytes."""
    return strings.length(text)


@builtin("substring")
def substring(start: int, length: Lazy, text: Lazy) -> str:
    """`length` bytes of `text` from the byte `start` on, or fewer where it ends; a negative
    length means all the rest."""
    if start < 0:
        raise IndexOutOfBounds("negative start position in 'substring'")
    count = length if type(length) is int else expect_int(length)
    whole = text if type(text) is str else coerce_to_string(text)
    end = start + count if count >= 0 else None
    if len(whole) > LARGE:
        check_string(len(whole) - start, (whole,))
    part = whole[start:end] if whole.isascii() else from_bytes(to_bytes(whole)[start:end])
    return part if type(whole) is str else with_context(part, context_of(whole))


@builtin("concatStringsSep")
def concat_strings_sep(separator: str, values: List) -> str:
    """The elements as strings in a row, with `separator` between them."""
    return _joined(separator, values, None)


def _joined(separator: str, values: tuple[Value, ...], apply: Apply) -> str:
    alone = apply is not None or len(values) <= FEW
    parts = _coerced(values, apply) if alone else _coerced_together(values)
    size = sum(map(len, parts)) + len(separator) * (len(parts) - 1)
    if size > LARGE:
        check_string(size, [separator, *parts])
    text = separator.join(parts)
    if not text.isascii():
        text = strings.normal(text)
    if set(map(type, parts)) <= _PLAIN and type(separator) is str:
        return text
    return with_context(text, context_of(separator).union(*map(context_of, parts)))


consumes_map_after_string("concatStringsSep", _joined)

_PLAIN = frozenset({str})


def _coerced(values: tuple[Value, ...], apply: Apply = None) -> list[str]:
    parts: list[str] = []
    for stretch in stretches(values):
        for value in stretch:
            if apply is not None:
                value = apply(value)
            elif type(value) is list:
                value = value[1] if value[0] is None else value[0](value)
            parts.append(value if type(value) is str else coerce_to_string(value))
    return parts


def _coerced_together(values: tuple[Value, ...]) -> list[str]:
    walks = begin([iter(values)], _parts_of_element, True)
    try:
        return _coerced(values)
    finally:
        end(walks)


def _parts_of_element(value: tuple[Value, ...] | AttrSet) -> Iterable[Value]:
    return () if isinstance(value, tuple) else parts_of_text(value)


@builtin("baseNameOf")
def base_name_of(path: Lazy) -> str:
    """What comes after the last slash of a path or string; one slash at its end does not count."""
    text = coerce_to_string(path, copy=False)
    name = text.removesuffix("/").rpartition("/")[2]
    return with_context(name, context_of(text))


@builtin("dirOf")
def dir_of(path: Value) -> Value:
    """What comes before the last slash: a path of a path, a string of a string, `"."` if there is
    no slash."""
    if type(path) is Path:
        return Path(path.text.rpartition("/")[0] or "/")
    text = coerce_to_string(path, copy=False)
    return with_context(_parent(text), context_of(text))


def _parent(text: str) -> str:
    if "/" not in text:
        return "."
    if not text.strip("/"):
        return text
    return text.rpartition("/")[0].rstrip("/") or "/"


@builtin("replaceStrings")
def replace_strings(old: List, new: List, text: Lazy) -> str:
    """`text` with every occurrence of a string of the first list replaced by its counterpart of
    the second, in one pass from the left; of several that fit, the first listed counts. An empty
    one fits everywhere. A replacement is evaluated only if it is needed."""
    if len(old) != len(new):
        raise InvalidArgument(
            "'from' and 'to' arguments passed to builtins.replaceStrings have different lengths"
        )
    quick = _RECENT.substitution(old, new) if len(old) > 1 else None
    if quick is not None:
        whole = text if type(text) is str else expect_str(text)
        if type(whole) is str and len(whole) <= MAX_QUICK and whole.isascii():
            return quick(whole)
    patterns = (_RECENT.simple(old) if len(old) > 1 else None) or tuple(
        [_latin(expect_str(pattern)) for pattern in old]
    )
    whole = expect_str(text)
    context = context_of(whole)
    used: dict[int, str] = {}

    def replacement(index: int) -> str:
        nonlocal context
        if index not in used:
            by = expect_str(new[index])
            context |= context_of(by)
            used[index] = _latin(by)
        return used[index]

    result = _replace(_latin(whole), patterns, replacement)
    return with_context(_from_latin(result), context)


#: Characters of a text in which everything is replaced at once, and of what comes in for one of them.
MAX_QUICK, MAX_REPLACEMENT = 1 << 16, 1 << 8
#: Patterns that are tried at every character of such a text, while nothing else goes on.
MAX_ALTERNATIVES = 32
Substitution: TypeAlias = Callable[[str], str]

#: Lists, and pairs of them, that are known again, how long they may be, and all strings of one: they stay
#: after the evaluation.
MAX_RECENT, MAX_KNOWN, MAX_KEPT = 16, 256, 1 << 12


def _simple(values: Sequence[Value]) -> tuple[str, ...] | None:
    """The strings, if all are evaluated already, and ASCII without a context."""
    found: list[str] = []
    for value in values:
        if type(value) is list and value[0] is None:
            value = value[1]
        if type(value) is not str or not value.isascii():
            return None
        found.append(value)
    return tuple(found)


def _may_stay(patterns: tuple[str, ...]) -> bool:
    """May what is known of them outlive the evaluation?"""
    return len(patterns) <= MAX_KNOWN and sum(map(len, patterns)) <= MAX_KEPT


#: For `str.translate`, which raises and catches a KeyError for each character that is not in its table: more
#: than twice the time, five times on CPython 3.12.
_THEMSELVES = {character: character for character in map(chr, range(128))}


@lru_cache(64)
def _substitution(patterns: tuple[str, ...], replacements: tuple[str, ...]) -> Substitution | None:
    """What replaces patterns in one step of C code; None if one is empty or a replacement is long."""
    if not all(patterns) or max(map(len, replacements)) > MAX_REPLACEMENT:
        return None
    table = dict(zip(reversed(patterns), reversed(replacements), strict=True))  # the first listed counts
    if max(map(len, patterns)) == 1:
        codes = str.maketrans(_THEMSELVES | table)
        return lambda text: text.translate(codes)
    if len(patterns) > MAX_ALTERNATIVES:
        return None
    # Alternatives are tried in the order in which they are listed, too.
    anywhere = re.compile("|".join(map(re.escape, patterns)))
    return lambda text: anywhere.sub(lambda found: table[found[0]], text)


class _Recent:
    """The last lists that were simple, and pairs of them for which there was a quick way: the same come again
    and again. It holds the lists, so nothing else has their ids."""

    def __init__(self) -> None:
        self._lists: OrderedDict[int, tuple[List, tuple[str, ...]]] = OrderedDict()
        self._pairs: OrderedDict[tuple[int, int], tuple[List, List, Substitution]] = OrderedDict()

    def simple(self, values: List) -> tuple[str, ...] | None:
        """The strings, if all are evaluated and simple."""
        known = self._lists.get(id(values))
        if known is not None:
            return known[1]
        found = _simple(values)
        if found is not None and _may_stay(found):
            self._lists[id(values)] = values, found
            if len(self._lists) > MAX_RECENT:
                self._lists.popitem(last=False)
        return found

    def substitution(self, old: List, new: List) -> Substitution | None:
        """What replaces each of `old` by that of `new`, if all are evaluated and simple."""
        key = id(old), id(new)
        known = self._pairs.get(key)
        if known is not None:
            return known[2]
        replacements = _simple(new)
        patterns = self.simple(old) if replacements else None
        if not patterns or not replacements or id(old) not in self._lists:
            return None
        quick = _substitution(patterns, replacements)
        if quick is not None:
            self._pairs[key] = old, new, quick
            if len(self._pairs) > MAX_RECENT:
                self._pairs.popitem(last=False)
        return quick


_RECENT = _Recent()


def _latin(text: str) -> str:
    # One character a byte, for an empty pattern fits between the bytes of one character too.
    return strings.plain(text) if text.isascii() else to_bytes(text).decode("latin-1")


def _from_latin(text: str) -> str:
    return text if text.isascii() else from_bytes(text.encode("latin-1"))


def _replace(text: str, patterns: tuple[str, ...], replacement: Callable[[int], str]) -> str:
    if len(patterns) == 1 and patterns[0]:
        return _replace_all(text, patterns[0], replacement(0)) if patterns[0] in text else text
    if not patterns:
        return text
    plan = _search_plan if _may_stay(patterns) else _search_plan.__wrapped__
    by_first, anywhere, candidate = plan(patterns)
    parts: list[str] = []
    done = at = steps = 0
    while at <= len(text) and (found := candidate.search(text, at)) is not None:
        at = found.start()
        for index in by_first.get(text[at : at + 1], anywhere):
            if text.startswith(patterns[index], at):
                parts += (text[done:at], replacement(index))
                done = at + len(patterns[index])
                break
        at = max(done, at + 1)
        steps += 1
        if steps & 1023 == 0:
            checkpoint()
    parts.append(text[done:])
    check_strings(parts)
    return "".join(parts)


def _replace_all(text: str, pattern: str, by: str) -> str:
    check_string(len(text) + text.count(pattern) * (len(by) - len(pattern)), (text, by))
    return text.replace(pattern, by)


_SearchPlan: TypeAlias = tuple[dict[str, list[int]], list[int], re.Pattern[str]]


@lru_cache(64)
def _search_plan(patterns: tuple[str, ...]) -> _SearchPlan:
    """Which patterns to try, in order, before a character; and before one that is not listed; and
    what finds the places where there are any to try."""
    by_first: dict[str, list[int]] = {}
    for index, pattern in enumerate(patterns):
        if not pattern:
            for indices in by_first.values():
                indices.append(index)
            return by_first, [index], re.compile("")  # it fits everywhere: the rest is never tried
        by_first.setdefault(pattern[0], []).append(index)
    return by_first, [], re.compile("[" + re.escape("".join(by_first)) + "]")
