"""Well-formed JSON of the usual kind, read by the standard library: a fifth of the time of `json_text`,
which reads everything else, and says what is wrong."""

from __future__ import annotations

import re
from itertools import accumulate
from json import JSONDecoder
from typing import Final, NoReturn

from aionix.values.attrs import AttrSet
from aionix.values.thunk import Value

#: Returned instead of a value.
UNUSUAL: Final = object()
#: Characters that are read at once: some 3 ms, in which nothing else goes on.
MAX_LENGTH = 1 << 18
#: Levels of lists and objects in each other: each takes C stack.
MAX_LEVELS = 100

# What Python reads in its own way: halves of characters, integers over 64 bits, infinite numbers.
_PYTHONIC = re.compile(r"\\u|[0-9]{19}|[eE][+-]?[0-9]{3}")
_BETWEEN_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[^"\[\]{}]+')
_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1, '"': 0}
_READY = frozenset({str, int, float, bool, type(None)})


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


_decoder = JSONDecoder(parse_constant=_refuse)  # NaN and Infinity


def read_usual(text: str) -> Value:
    """The value that `text` spells, or UNUSUAL."""
    if len(text) > MAX_LENGTH or not text.isascii() or _PYTHONIC.search(text) or _is_deep(text):
        return UNUSUAL
    try:
        found = _decoder.decode(text)
    except ValueError:
        return UNUSUAL
    return found if type(found) in _READY else _made(found)


def _is_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_LEVELS:
        return False
    brackets = _BETWEEN_BRACKETS.sub("", text)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > MAX_LEVELS


def _made(found: Value) -> Value:
    if isinstance(found, list):
        return tuple([each if type(each) in _READY else _made(each) for each in found])
    assert isinstance(found, dict)
    return AttrSet({name: each if type(each) in _READY else _made(each) for name, each in found.items()})
