"""Lists that are asked again and again whether they have an element.

`filter (x: !elem x others)` asks for each x, and so do `unique`, `subtractLists` and checks of enumerations.
A list that is asked a second time in a row gets an index, if it is of evaluated strings or integers.
"""

from __future__ import annotations

from typing import TypeAlias

from aionix.values.thunk import Value, evaluated

Index: TypeAlias = frozenset[Value]

#: Of fewer elements no index is made.
FEW = 8
#: Lists with an index, and elements or characters of one: they stay after the evaluation.
MAX_LISTS, MAX_SIZE = 8, 1 << 16

_indexes: dict[int, tuple[tuple[Value, ...], Index]] = {}
_last = 0


def index_of(values: tuple[Value, ...]) -> Index | None:
    """All elements of `values`, if that is known or pays."""
    global _last
    known = _indexes.get(id(values))
    if known is not None and known[0] is values:
        return known[1]
    if _last != id(values):
        _last = id(values)
        return None
    _last = 0
    return _make(values)


def _make(values: tuple[Value, ...]) -> Index | None:
    if len(values) > MAX_SIZE:
        return None
    elements = [evaluated(value) for value in values]
    kinds = set(map(type, elements))
    if kinds != {str} and kinds != {int}:  # what else may be equal to each other differs from Python
        return None
    index = frozenset(elements)
    if len(elements) + sum([len(text) for text in index if isinstance(text, str)]) > MAX_SIZE:
        return None
    if len(_indexes) >= MAX_LISTS:
        _indexes.clear()
    _indexes[id(values)] = values, index
    return index
