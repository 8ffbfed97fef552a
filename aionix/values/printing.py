"""Values as text: `show` for results, `brief` inside error messages. Nothing is forced."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import MethodType
from typing import TypeAlias

from aionix.bytecode.chunk import Lambda
from aionix.errors import InternalError
from aionix.source import SourceMap, Span
from aionix.values.attrs import AttrSet, sorted_names
from aionix.values.functions import Builtin, PartialApplication
from aionix.values.limits import LongText
from aionix.values.numbers import show_float
from aionix.values.paths import Path
from aionix.values.strings import from_bytes, to_bytes
from aionix.values.thunk import Thunk, Value, blackhole, current_fiber, evaluated

REPEATED = "«repeated»"
BLACKHOLE = "«potential infinite recursion»"

KEYWORDS = frozenset({"if", "then", "else", "assert", "with", "let", "in", "rec", "inherit"})
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_'-]*")


def show_string(text: str) -> str:
    """`text` as a string literal."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
    return '"' + text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


def show_name(name: str) -> str:
    """An attribute name, quoted where the grammar needs it."""
    if _IDENTIFIER.fullmatch(name) and name not in KEYWORDS:
        return name
    return show_string(name)


def _show_scalar(value: Value) -> str | None:
    """Null, booleans, numbers, strings and paths; None for everything else."""
    kind = type(value)
    if kind is int:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, str):
        return show_string(value)
    if isinstance(value, float):
        return show_float(value)
    return value.text if isinstance(value, Path) else None


class _Seen:
    """Which lists and sets were printed before, told apart as C++ Nix does.

    A set, and a list of three elements or more, is the same wherever it is met. A shorter list
    lives inside its thunk there: two thunks with the same short list count as two.
    """

    def __init__(self, *, empty_sets: bool) -> None:
        self._ids: set[int] = set()
        self._empty_sets = empty_sets

    def before(self, holder: Value, value: tuple[Value, ...] | AttrSet) -> bool:
        """Was `value`, found as `holder` (itself or its thunk), met before?"""
        if not value:
            if type(value) is tuple or not self._empty_sets:
                return False
            identity = 0  # all empty sets are one
        else:
            identity = id(holder if type(value) is tuple and len(value) < 3 else value)
        if identity in self._ids:
            return True
        self._ids.add(identity)
        return False


# Text, then perhaps a value to follow it.
_Piece: TypeAlias = tuple[str, Value] | tuple[str]


def show(value: Value) -> str:
    """What `nix-instantiate --eval` prints for `value`: thunks are `<CODE>`. Depth is unbounded."""
    return _show_all(value, _Seen(empty_sets=False), _show_leaf)


def _show_all(value: Value, seen: _Seen, show_leaf: Callable[[Value], str]) -> str:
    text = LongText()
    pending: list[_Piece] = [("", value)]
    while pending:
        piece = pending.pop()
        text.add(piece[0])
        if len(piece) == 2:
            item = evaluated(piece[1])
            if (type(item) is tuple or type(item) is AttrSet) and not seen.before(piece[1], item):
                pending += reversed(_pieces(item))
            else:
                text.add(show_leaf(item))
    return text.whole()


def _pieces(container: tuple[Value, ...] | AttrSet) -> list[_Piece]:
    if type(container) is tuple:
        return [("[ ",), *[part for item in container for part in (("", item), (" ",))], ("]",)]
    assert isinstance(container, AttrSet)
    pieces: list[_Piece] = [("{ ",)]
    for name in sorted_names(container):
        pieces += [(f"{show_name(name)} = ", container[name]), ("; ",)]
    return [*pieces, ("}",)]


def _show_leaf(value: Value) -> str:
    text = _show_scalar(value)
    if text is not None:
        return text
    if type(value) is list:
        return BLACKHOLE if value[0] is blackhole else "<CODE>"
    if type(value) is tuple or type(value) is AttrSet:
        return REPEATED
    return _FUNCTIONS[type(value)]


_FUNCTIONS = {MethodType: "<LAMBDA>", Builtin: "<PRIMOP>", PartialApplication: "<PRIMOP-APP>"}

Describe: TypeAlias = Callable[[Span], str]


def brief(value: Value, describe: Describe | None = None) -> str:
    """`value` as error messages show it: ten levels, ten attributes, ten elements, 1024 bytes.

    `describe` gives the text for the place of a function; without it the running evaluation's
    sources do, and outside of one the place is left out.
    """
    return _Brief(describe or _describe_here()).show(value, 0)


def traced(value: Value) -> str:
    """`value` as `builtins.trace` prints it: as `brief` does, but all of it."""
    printing = _Brief(_describe_here())
    return _show_all(value, _Seen(empty_sets=True), printing.show_leaf)


def _describe_here() -> Describe | None:
    try:
        sources = getattr(current_fiber().run, "sources", None)
    except InternalError:
        return None
    return sources.describe if isinstance(sources, SourceMap) else None


class _Brief:
    """One printing, and what it has already spent of its limits."""

    MAX_DEPTH = 10
    MAX_ATTRIBUTES = 10
    MAX_ITEMS = 10
    MAX_BYTES = 1024

    def __init__(self, describe: Describe | None) -> None:
        self._describe = describe
        self._seen = _Seen(empty_sets=True)
        self._attributes = 0
        self._items = 0

    def show(self, holder: Value, depth: int) -> str:
        value = evaluated(holder)
        if isinstance(value, str):
            return _show_cropped(value, self.MAX_BYTES)
        if type(value) is tuple or type(value) is AttrSet:
            return REPEATED if self._seen.before(holder, value) else self._container(value, depth)
        return self.show_leaf(value)

    def show_leaf(self, value: Value) -> str:
        """What has no parts, or has been shown before."""
        if type(value) is list:
            return _show_thunk(value)
        if type(value) is tuple or type(value) is AttrSet:
            return REPEATED
        return _show_scalar(value) or self._function(value)

    def _container(self, value: tuple[Value, ...] | AttrSet, depth: int) -> str:
        if isinstance(value, AttrSet):
            parts = self._attrs(value, depth) if depth < self.MAX_DEPTH else ["..."]
            return " ".join(["{", *parts, "}"])
        parts = self._list(value, depth) if depth < self.MAX_DEPTH else ["..."]
        return " ".join(["[", *parts, "]"])

    def _attrs(self, attrs: AttrSet, depth: int) -> list[str]:
        parts: list[str] = []
        # The limit counts over all sets of one printing, so it may be reached in the middle.
        for name in self._in_order(attrs):
            if self._attributes >= self.MAX_ATTRIBUTES:
                return [*parts, _elided(len(attrs) - len(parts), "attribute")]
            parts.append(f"{show_name(name)} = {self.show(attrs[name], depth + 1)};")
            self._attributes += 1
        return parts

    def _in_order(self, attrs: AttrSet) -> list[str]:
        important = [name for name in ("_type", "type") if name in attrs]
        return important + [name for name in sorted_names(attrs) if name not in important]

    def _list(self, items: tuple[Value, ...], depth: int) -> list[str]:
        parts: list[str] = []
        for item in items:
            if self._items >= self.MAX_ITEMS:
                return [*parts, _elided(len(items) - len(parts), "item")]
            parts.append(self.show(item, depth + 1))
            self._items += 1
        return parts

    def _function(self, value: Value) -> str:
        if isinstance(value, Builtin):
            return f"«primop {value.name}»"
        if isinstance(value, PartialApplication):
            return f"«partially applied primop {value.builtin.name}»"
        code = getattr(getattr(value, "__func__", None), "code", None)
        if not isinstance(code, Lambda):
            return "«lambda»"
        name = f" {code.name}" if code.name else ""
        place = f" @ {self._describe(code.span)}" if self._describe else ""
        return f"«lambda{name}{place}»"


def _show_thunk(thunk: Thunk) -> str:
    return BLACKHOLE if thunk[0] is blackhole else "«thunk»"


def _show_cropped(text: str, limit: int) -> str:
    data = to_bytes(text)
    if len(data) <= limit:
        return show_string(text)
    return f"{show_string(from_bytes(data[:limit]))} {_elided(len(data) - limit, 'byte')}"


def _elided(count: int, what: str) -> str:
    return f"«{count} {what}{'' if count == 1 else 's'} elided»"
