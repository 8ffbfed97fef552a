"""`NixValue`: a value of an evaluation, held from Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, Protocol, TypeVar

from aionix.errors import ConversionError, IndexOutOfBounds, MissingAttribute, NixError
from aionix.values.attrs import AttrSet, sorted_names
from aionix.values.convert import Handle, from_python, to_python
from aionix.values.deep import force_deep
from aionix.values.functions import call
from aionix.values.kinds import type_error, type_of
from aionix.values.printing import show
from aionix.values.thunk import Value, force

T = TypeVar("T")


class Runner(Protocol):
    """The `Evaluation` that a value belongs to."""

    async def run(self, function: Callable[[], T]) -> T: ...


class NixValue(Handle):
    """A Nix value, evaluated to its outermost constructor; what is inside may still be lazy.

    Whatever may have to evaluate something is awaited. `raw` is the value as the evaluator
    represents it (see `aionix.values`).
    """

    __slots__ = ("_held", "_runner")

    def __init__(self, runner: Runner, raw: Value, held: object = None) -> None:
        super().__init__(raw)
        self._runner = runner
        self._held = held  # what its errors need to say where they are

    def _of(self, raw: Value) -> NixValue:
        return NixValue(self._runner, raw, self._held)

    @property
    def kind(self) -> str:
        """What `builtins.typeOf` says: int, float, bool, null, string, path, set, list, lambda."""
        return type_of(self.raw)

    def to_python(self) -> object:
        """The value as Python data: dict, list, str, int, float, bool, None, PurePosixPath.

        Raises ConversionError where it holds a function, or something not evaluated yet: then
        `await force_deep()` first (or evaluate in strict mode).
        """
        return to_python(self.raw)

    async def force_deep(self) -> NixValue:
        """Evaluates everything inside, and returns this value. Raises NixError."""
        await self._runner.run(lambda: force_deep(self.raw))
        return self

    async def call(self, *arguments: object) -> NixValue:
        """Applies this function to Python data or Nix values, one after the other."""
        given = [from_python(argument) for argument in arguments]
        return self._of(await self._runner.run(lambda: _apply(self.raw, given)))

    async def __call__(self, *arguments: object) -> NixValue:
        return await self.call(*arguments)

    async def get(self, path: str) -> NixValue:
        """The attribute at a dotted path such as `services.nginx`; a number is an index of a list.

        Names with dots are quoted, as in `hosts."example.org".port`.

        Raises MissingAttribute, IndexOutOfBounds, TypeMismatch, or what evaluating it raises.
        """
        return self._of(await self._runner.run(lambda: _select(self.raw, path)))

    def keys(self) -> list[str]:
        """The attribute names of a set, in Nix's order."""
        if type(self.raw) is not AttrSet:
            raise type_error("a set", self.raw)
        return sorted_names(self.raw)

    def __reduce__(self) -> NoReturn:
        # Its laziness belongs to this process.
        raise TypeError("a NixValue stays in its process; what to_python() returns can leave it")

    def __str__(self) -> str:
        """As `nix-instantiate --eval` prints it: what is not evaluated is `<CODE>`."""
        return show(self.raw)

    def __repr__(self) -> str:
        try:
            text = show(self.raw)
        except ConversionError:
            text = self.kind
        return f"<NixValue {text if len(text) < 60 else text[:57] + '...'}>"


def split_attr_path(path: str) -> list[str]:
    """The names in `a."b.c".d`; raises NixError for a quote that is not closed."""
    names, name, at = [], "", 0
    while at < len(path):
        if path[at] == ".":
            names.append(name)
            name = ""
        elif path[at] == '"':
            end = path.find('"', at + 1)
            if end < 0:
                raise NixError(f"missing closing quote in selection path '{path}'")
            name += path[at + 1 : end]
            at = end
        else:
            name += path[at]
        at += 1
    return [*names, name] if name else names


def _apply(function: Value, arguments: list[Value]) -> Value:
    for argument in arguments:
        function = call(function, argument)
    return function


def _select(value: Value, path: str) -> Value:
    for name in split_attr_path(path):
        value = force(_element(value, name) if type(value) is tuple else _attribute(value, name))
    return value


def _attribute(value: Value, name: str) -> Value:
    if type(value) is not AttrSet:
        raise type_error("a set", value)
    if name not in value:
        raise MissingAttribute(f"attribute '{name}' missing")
    return value[name]


def _element(values: tuple[Value, ...], index: str) -> Value:
    if not (index.isascii() and index.isdigit() and len(index) < 10):
        raise type_error("a set", values)
    if int(index) >= len(values):
        raise IndexOutOfBounds(f"list index {index} is out of bounds; the list has {len(values)} elements")
    return values[int(index)]
