"""Deep evaluation: `builtins.deepSeq`, `--strict`, and everything that leaves Nix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import length_hint

from aionix.errors import NixError
from aionix.values.attrs import AttrSet
from aionix.values.limits import MAX_NESTING, checkpoint, too_deep
from aionix.values.thunk import Value, force
from aionix.values.walk import begin, end


def force_deep(value: Value) -> Value:
    """`value`, with everything inside it evaluated; what contains itself is walked once.

    Sets are taken in the order they were written, which is nearer to C++ Nix than that of the
    names: its order is that in which it first met them. It decides which error is met first.
    """
    value = force(value)
    if type(value) is not tuple and type(value) is not AttrSet:
        return value
    levels: list[tuple[Value, ...] | AttrSet] = [value]
    rests = [iter(contents(value))]
    seen = {id(value)}
    steps = 0
    walks = begin(rests, contents)
    try:
        while levels:
            for child in rests[-1]:
                if type(child) is list:
                    child = child[1] if child[0] is None else child[0](child)
                steps += 1
                if steps & 255 == 0:
                    checkpoint()
                if (type(child) is tuple or type(child) is AttrSet) and child and id(child) not in seen:
                    seen.add(id(child))
                    levels.append(child)
                    rests.append(iter(contents(child)))
                    if len(levels) > MAX_NESTING:
                        raise too_deep()
                    break
            else:
                levels.pop()
                rests.pop()
    except NixError as error:
        _add_frames(error, levels, rests)
        raise
    finally:
        end(walks)
    return value


def contents(value: tuple[Value, ...] | AttrSet) -> Iterable[Value]:
    """The elements, or the values of the attributes."""
    return value.values() if isinstance(value, AttrSet) else value


def _add_frames(
    error: NixError, levels: list[tuple[Value, ...] | AttrSet], rests: list[Iterator[Value]]
) -> None:
    said = error.newest_frame  # the thunk of the innermost attribute may have said it already
    for level, rest in zip(reversed(levels), reversed(rests), strict=True):
        if isinstance(level, AttrSet):
            name = list(level)[len(level) - length_hint(rest) - 1]
            message = f"while evaluating the attribute '{name}'"
            if said is None or said.message != message:
                error.add_frame(message, level.position_of(name))
        said = None
