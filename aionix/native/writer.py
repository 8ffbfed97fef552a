"""The text of a Python function while it is written."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from aionix.vm.linking import Plain, Recipe

#: What constants begin with in the text; no other string is ever in it.
MARK = "§"
#: Types of constants that can be kept on disk as they are.
_PLAIN = frozenset({str, float, int, bytes, frozenset})
#: Strings up to this length may be names of attributes.
LONGEST_NAME = 50
#: CPython refuses a hundred levels of indentation.
MAX_LEVELS = 90


class Untranslatable(Exception):
    """This code stays with the interpreter."""


class Writer:
    """Lines, each with the offset in the chunk of the instruction that it belongs to.

    What is `portable` holds no object; what is `shared` has no strings either, but parameters for them.
    """

    def __init__(self, portable: bool = False, shared: bool = False) -> None:
        self._portable = portable
        self._shared = shared
        self.lines: list[str] = []
        self.offsets: list[int] = []
        self.constants: list[object] = []
        self.recipes: list[Recipe | Plain | int] = []
        self.offset = 0
        self._level = 1
        self._names = 0
        self._index: dict[int | Recipe, str] = {}

    def line(self, text: str, offset: int | None = None) -> None:
        """Another line; its instruction is at `offset`, or the present one."""
        self.lines.append(" " * (self._level + 1) + text)
        self.offsets.append(self.offset if offset is None else offset)

    @contextmanager
    def block(self, head: str, offset: int | None = None) -> Iterator[None]:
        """What is written meanwhile is inside `head`."""
        self.line(head, offset)
        if self._level > MAX_LEVELS:
            raise Untranslatable("nested too deeply")
        self._level += 1
        before = len(self.lines)
        yield
        if len(self.lines) == before:
            self.line("pass")
        self._level -= 1

    def name(self) -> str:
        """A new local variable."""
        self._names += 1
        return f"t{self._names}"

    def constant(self, value: object, recipe: Recipe | None = None) -> str:
        """How the text refers to `value`, any object, which `recipe` says how to make elsewhere."""
        if value is None or value is True or value is False:
            return str(value)
        if type(value) is int and (recipe is None or not self._portable):
            return f"({value})" if value < 0 else str(value)
        if recipe is not None and self._portable:
            return self._made(recipe, recipe)
        if type(value) in _PLAIN:
            return self._marked(cast(Plain, value))
        if self._portable:
            raise Untranslatable("a constant that cannot be kept")
        return self._made(id(value), ("object", value))

    def late(self, offset: int) -> str:
        """How the text refers to the entry of thunks whose code is kept at `offset`."""
        return self._made(("late", offset), offset)

    def cell(self) -> str:
        """A list of two that belongs to the function, for what it remembers."""
        return self._made(("cell", len(self.recipes)), ("cell",))

    def parameters(self, own: str) -> str:
        """Those of the function: its own, and those whose defaults are the objects that it needs."""
        return ", ".join([own, *[f"k{index}=None" for index in range(len(self.recipes))]])

    def _marked(self, value: Plain) -> str:
        """A plain constant, which is put into the code object, or is the default of a parameter."""
        mark = self._index.get(id(value))
        if mark is None:
            mark = f"k{len(self.recipes)}" if self._shared else f"'{MARK}{len(self.constants)}'"
            self._index[id(value)] = mark
            if self._shared:
                self.recipes.append(_interned(value))
            self.constants.append(value)  # which also keeps it, and so its id, alive
        return mark

    def _made(self, key: int | Recipe, recipe: Recipe | int) -> str:
        """The default of a parameter. The collector does not look into code objects: what they held, and
        led back to them, would stay for ever."""
        name = self._index.get(key)
        if name is None:
            name = self._index[key] = f"k{len(self.recipes)}"
            self.recipes.append(recipe)
        return name


def _interned(value: Plain) -> Plain:
    """As CPython does with constants: dictionaries find such strings without comparing them."""
    return sys.intern(value) if type(value) is str and len(value) <= LONGEST_NAME else value
