"""Deep evaluation: `builtins.deepSeq`, `--strict`, and everything that leaves Nix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat

from aionix.errors import NixError
from aionix.values.attrs import AttrSet
from aionix.values.limits import MAX_NESTING, checkpoint, too_deep
from aionix.values.thunk import Value, force
from aionix.values.walk import begin, end

_END = object()
_NAMELESS = repeat("")


@dataclass(slots=True)
class _Level:
    """A list or set that is being walked through; of a set, `names` runs along with its `values`."""

    attrs: AttrSet | None
    names: Iterator[str]
    name: str = ""  # of the attribute that is due


def force_deep(value: Value) -> Value:
    """`value`, with everything inside it evaluated; what contains itself is walked once.

    Sets are taken in the order they were written, which is nearer to C++ Nix than that of the
    names: its order is that in which it first met them. It decides which error is met first.
    """
    value = force(value)
    levels: list[_Level] = []
    values: list[Iterator[Value]] = []
    _open(value, levels, values)
    seen = {id(value)}
    steps = 0
    walks = begin(values, contents)
    try:
        while levels:
            child = next(values[-1], _END)
            if child is _END:
                levels.pop()
                values.pop()
                continue
            levels[-1].name = next(levels[-1].names)
            inner = force(child)
            if (type(inner) is tuple or type(inner) is AttrSet) and id(inner) not in seen:
                seen.add(id(inner))
                _open(inner, levels, values)
                if len(levels) > MAX_NESTING:
                    raise too_deep()
            steps += 1
            if steps & 255 == 0:
                checkpoint()
    except NixError as error:
        _add_frames(error, levels)
        raise
    finally:
        end(walks)
    return value


def contents(value: tuple[Value, ...] | AttrSet) -> Iterable[Value]:
    """The elements, or the values of the attributes."""
    return value.values() if isinstance(value, AttrSet) else value


def _open(value: Value, levels: list[_Level], values: list[Iterator[Value]]) -> None:
    if type(value) is AttrSet:
        levels.append(_Level(value, iter(value)))
        values.append(iter(value.values()))
    elif type(value) is tuple:
        levels.append(_Level(None, _NAMELESS))
        values.append(iter(value))


def _add_frames(error: NixError, levels: list[_Level]) -> None:
    said = error.newest_frame  # the thunk of the innermost attribute may have said it already
    for level in reversed(levels):
        if level.attrs is not None:
            message = f"while evaluating the attribute '{level.name}'"
            if said is None or said.message != message:
                error.add_frame(message, level.attrs.position_of(level.name))
        said = None
