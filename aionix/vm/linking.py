"""Compiled code and what it needs: objects that exist only in a running evaluation.

Code that is kept on disk cannot hold a function, a builtin or a table of spans. It has a parameter for
each, and a recipe, a tuple of plain data, for the default of that parameter. The recipe of code that is made
for this evaluation alone may also hold the object itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from types import MethodType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from aionix.bytecode.image import StoredLambda
from aionix.source import Span
from aionix.values.functions import Builtin
from aionix.values.paths import Path
from aionix.values.thunk import Value, evaluated

if TYPE_CHECKING:
    from aionix.vm.engine import Unit

#: Constants that are their own recipe. (An integer is the recipe of the entry of thunks whose code is kept
#: there: these are by far the most.)
Plain: TypeAlias = str | float | bytes | frozenset[str]
#: What a constant is made from: its kind and, plain data, the particulars.
Recipe: TypeAlias = tuple[Any, ...]


class NotLinkable(Exception):
    """The code was made where a global was something else."""


def link(unit: Unit, recipes: tuple[object, ...]) -> tuple[object, ...]:
    """What the recipes say, for `unit`; raises NotLinkable."""
    late = unit.stub or unit.late()
    return tuple(
        [
            recipe
            if (kind := type(recipe)) is str
            else MethodType(late, recipe)
            if kind is int
            else recipe
            if kind is not tuple
            else unit.machine
            if recipe[0] == "machine"  # type: ignore[index]
            else _MAKERS[recipe[0]](unit, *recipe[1:])  # type: ignore[index]
            for recipe in recipes
        ]
    )


def packed(recipes: tuple[object, ...]) -> tuple[tuple[object, ...], bool]:
    """The recipes as they are kept, and whether they are plain: the machine, which is left out, and then
    constants."""
    first, rest = recipes[:1], recipes[1:]
    plain = first == (("machine",),) and not any([type(recipe) in (int, tuple) for recipe in rest])
    return rest if plain else recipes, plain


def global_recipe(path: tuple[str, ...], value: Value) -> Recipe:
    """The recipe for a global, or an attribute of one."""
    return "global", path, _traits(value)


def kin_recipe(unit: Unit, other: Unit) -> Recipe | None:
    """The recipe for the Python function of another unit, of the same file; None if that cannot be."""
    around: list[Unit | None] = [unit]
    while around[-1] is not None:
        around.append(around[-1].parent)
    offsets: list[int] = []
    while type(other.code) is StoredLambda:
        if other in around:  # where is not told in levels: `native.mapped` leaves thunks out
            return "kin", other.code.offset, tuple(offsets)
        if other.is_thunk or other.parent is None:
            return None
        offsets.insert(0, other.code.offset)
        other = other.parent
    return None


def builtin_recipe(function: Literal["run", "of_map"], path: tuple[str, ...], builtin: Builtin) -> Recipe:
    """The recipe for a Python function of a builtin."""
    return function, path, _traits(builtin)


def _traits(value: Value) -> tuple[str, int]:
    """What compiled code takes for granted of a global."""
    return type(value).__name__, value.arity if isinstance(value, Builtin) else 0


def _global(unit: Unit, path: tuple[str, ...], traits: tuple[str, int]) -> Value:
    value: Value = unit.scope
    for name in path:
        value = evaluated(value)
        if not isinstance(value, Mapping) or name not in value:
            raise NotLinkable(".".join(path))
        value = value[name]
    for each in (value, evaluated(value)):
        if _traits(each) == traits:
            return each
    raise NotLinkable(".".join(path))


def _kin(unit: Unit, around_at: int, offsets: tuple[int, ...]) -> object:
    around = unit
    while around.code.offset != around_at:  # type: ignore[attr-defined]  # a StoredLambda
        if around.parent is None:
            raise NotLinkable("a function around it")
        around = around.parent
    for offset in offsets:
        around = around.body(inside(unit, offset)).unit  # type: ignore[attr-defined]
    return around.function


class _Positions(Mapping[str, Span]):
    """Where the names of a literal set are; the table is read when somebody asks."""

    def __init__(self, unit: Unit, offset: int) -> None:
        self._unit = unit
        self._offset = offset

    @cached_property
    def _table(self) -> dict[str, Span]:
        chunk = self._unit.code.chunk
        pairs = zip(chunk.attr_names[self._offset], chunk.attr_spans.get(self._offset, ()), strict=False)
        return {name: span for name, span in pairs if span}

    def __contains__(self, name: object) -> bool:
        return name in self._table

    def __getitem__(self, name: str) -> Span:
        return self._table[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


def inside(unit: Unit, offset: int) -> StoredLambda:
    """The code that is kept at `offset` of the image that the unit's is in."""
    return unit.code.reader.code(offset)  # type: ignore[attr-defined, no-any-return]  # a StoredLambda


_MAKERS: dict[str, Callable[..., object]] = {
    "object": lambda unit, value: value,
    "cell": lambda unit: [None, None],
    "code": lambda unit: unit.code,
    "body": lambda unit, offset: unit.body(inside(unit, offset)),
    "kin": _kin,
    "global": _global,
    "run": lambda unit, path, traits: cast(Builtin, _global(unit, path, traits)).run,
    "of_map": lambda unit, path, traits: cast(Builtin, _global(unit, path, traits)).of_map,
    "path": lambda unit, text: Path(text),
    "spans": lambda unit, offset: unit.code.chunk.attr_spans[offset],
    "positions": _Positions,
}
