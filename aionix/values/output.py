"""How large a value is once it is written out."""

from __future__ import annotations

from aionix.errors import OutputExceeded
from aionix.values.attrs import AttrSet
from aionix.values.limits import checkpoint
from aionix.values.paths import Path
from aionix.values.thunk import Value, evaluated

#: Characters for a number, or whatever else is not evaluated or is no data.
_ATOM = 4


def check_output(value: Value, limit: int | None) -> None:
    """Raises OutputExceeded if `value` takes more than `limit` characters, roughly as JSON."""
    if limit is not None and output_size(value) > limit:
        raise OutputExceeded(f"the value takes more than {limit} characters")


def output_size(value: Value) -> int:
    """The characters that `value` takes, as far as it is evaluated.

    What is shared counts wherever it is, so `let a = [ 1 1 ]; b = [ a a ]; ...` doubles at each step; it
    is measured once, so this takes no longer than to walk through what there is. Where a value
    contains itself it counts no more.
    """
    sizes: dict[int, int] = {}
    pending = [evaluated(value)]
    while pending:
        if len(sizes) & 1023 == 0:
            checkpoint()
        whole = pending[-1]
        if id(whole) not in sizes:
            sizes[id(whole)] = 0  # while it is inside of itself
            pending += [part for part in _parts(whole) if id(part) not in sizes]
            continue
        pending.pop()
        sizes[id(whole)] = _own(whole) + sum([sizes[id(part)] for part in _parts(whole)])
    return sizes[id(evaluated(value))]


def _parts(value: Value) -> list[Value]:
    """What is in it."""
    if type(value) is tuple:
        return [evaluated(part) for part in value]
    if type(value) is AttrSet:
        if "outPath" in value:  # it is written as that
            return [evaluated(value["outPath"])]
        return [evaluated(part) for part in value.values()]
    return []


def _own(value: Value) -> int:
    """Without what is in it."""
    if isinstance(value, str):
        return len(value) + 2
    if isinstance(value, Path):
        return len(value.text) + 2
    if type(value) is tuple:
        return len(value) + 2
    if type(value) is AttrSet:
        return sum(map(len, value)) + 4 * len(value) + 2
    return _ATOM
