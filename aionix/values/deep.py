"""Deep evaluation: `builtins.deepSeq`, `--strict`, and everything that leaves Nix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat

from aionix.errors import NixError
from aionix.values.attrs import AttrSet
from aionix.values.limits import MAX_NESTING, checkpoint, too_deep
from aionix.values.thunk import Value, force


@dataclass(slots=True)
class _Level:
    """A list or set that is being walked through; `name` is the attribute that is due."""

    attrs: AttrSet | None
    items: Iterator[tuple[str, Value]]
    name: str = ""


def force_deep(value: Value) -> Value:
    """`value`, with everything inside it evaluated; what contains itself is walked once.

    Sets are taken in the order they were written, which is nearer to C++ Nix than that of the
    names: its order is that in which it first met them. It decides which error is met first.
    """
    value = force(value)
    levels = _open(value)
    seen = {id(value)}
    steps = 0
    try:
        while levels:
            item = next(levels[-1].items, None)
            if item is None:
                levels.pop()
                continue
            levels[-1].name, child = item
            inner = force(child)
            if (type(inner) is tuple or type(inner) is AttrSet) and id(inner) not in seen:
                seen.add(id(inner))
                levels += _open(inner)
                if len(levels) > MAX_NESTING:
                    raise too_deep()
            steps += 1
            if steps & 255 == 0:
                checkpoint()
    except NixError as error:
        _add_frames(error, levels)
        raise
    return value


def _open(value: Value) -> list[_Level]:
    if type(value) is AttrSet:
        return [_Level(value, iter(value.items()))]
    if type(value) is tuple:
        return [_Level(None, zip(repeat(""), value))]
    return []


def _add_frames(error: NixError, levels: list[_Level]) -> None:
    said = error.newest_frame  # the thunk of the innermost attribute may have said it already
    for level in reversed(levels):
        if level.attrs is not None:
            message = f"while evaluating the attribute '{level.name}'"
            if said is None or said.message != message:
                error.add_frame(message, level.attrs.position_of(level.name))
        said = None
