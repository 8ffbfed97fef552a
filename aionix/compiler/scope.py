"""Where is `x`? One `Scope` per Lambda under construction; a chain of them answers.

A name is a local (a slot of this frame), an upvalue (captured when the closure is made), a global, or
comes from a `with`. Locals win over upvalues, those over globals, and `with` comes last.
"""

from __future__ import annotations

from aionix.bytecode.opcodes import Position


class Local:
    """A named slot. Until `initialised`, closures made in this frame capture it deferred."""

    __slots__ = ("initialised", "name", "slot")

    def __init__(self, name: str, slot: int, initialised: bool = False) -> None:
        self.name = name
        self.slot = slot
        self.initialised = initialised


class Scope:
    """The names of one Lambda. `positions` has what it captures, in the order of its upvalues; those of the
    outermost one are given by name."""

    __slots__ = (
        "_by_name", "_captured", "_index", "captures_with", "inside_with", "parent", "positions", "withs",
    )  # fmt: skip

    def __init__(
        self, parent: Scope | None, upvalues: tuple[str, ...] = (), captures_with: bool = False
    ) -> None:
        self.parent = parent
        self.positions: list[Position] = []
        self.withs = 0  # how many `with` of this very frame are open
        # is one open in a frame around it
        self.inside_with = captures_with if parent is None else parent.has_with
        self.captures_with = False
        self._by_name: dict[str, list[Local]] = {}
        self._captured: dict[str, int | None] = {name: index for index, name in enumerate(upvalues)}
        self._index: dict[Position, int] = {}

    @property
    def has_with(self) -> bool:
        """May an unknown name come from a `with`?"""
        return self.withs > 0 or self.inside_with

    def declare(self, name: str, slot: int, initialised: bool = False) -> Local:
        """A new local, which hides those of the same name."""
        local = Local(name, slot, initialised)
        self.reveal(local)
        return local

    def hide(self, local: Local) -> None:
        """Ends the newest local of that name, or hides it until `reveal`."""
        self._by_name[local.name].pop()

    def reveal(self, local: Local) -> None:
        self._by_name.setdefault(local.name, []).append(local)

    def find(self, name: str) -> Local | None:
        """The local of this frame."""
        found = self._by_name.get(name)
        return found[-1] if found else None

    def upvalue(self, name: str) -> int | None:
        """The index of the upvalue, which is captured from now on; None if no frame around has the name.

        What is around does not change while this Lambda is compiled, so answers are remembered.
        """
        if name in self._captured:
            return self._captured[name]
        position = self._position(name)
        index = None if position is None else self._capture(position)
        self._captured[name] = index
        return index

    def _position(self, name: str) -> Position | None:
        if self.parent is None:
            return None
        local = self.parent.find(name)
        if local is not None:
            return Position.stack(local.slot) if local.initialised else Position.deferred(local.slot)
        index = self.parent.upvalue(name)
        return None if index is None else Position.upvalue(index)

    def _capture(self, position: Position) -> int:
        index = self._index.get(position)
        if index is None:
            index = self._index[position] = len(self.positions)
            self.positions.append(position)
        return index

    def capture_with(self) -> None:
        """Every frame from the outermost `with` inwards hands the `with`s on."""
        scope: Scope | None = self
        while scope is not None and scope.inside_with:
            scope.captures_with = True
            scope = scope.parent
