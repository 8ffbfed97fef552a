"""What the translator knows of values while there are none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from aionix.bytecode.chunk import Lambda
from aionix.bytecode.opcodes import Position
from aionix.values.attrs import AttrSet
from aionix.values.thunk import Value, evaluated

#: A guess where there is none.
UNKNOWN: Final = object()


@dataclass(slots=True)
class Operand:
    """What is known of a value on the stack.

    `text` is a variable, a constant or (`pending`) an expression not evaluated yet, to be used once.
    `lazy`: it may be a thunk. `kind`: the Python type of its value, where that is certain. A
    `constant` has its `value`. `guess`: what it was in the run that was looked at. `thunk`: the thunk that is
    still to be made.
    `offset`: where the instruction of a pending expression is, for errors in it. `path`: how a constant that
    belongs to the evaluation is reached from the globals.
    """

    text: str
    lazy: bool = False
    kind: str | None = None
    pending: bool = False
    value: Value = None
    constant: bool = False
    late: Late | None = None
    thunk: Unmade | None = None
    guess: Value = UNKNOWN
    offset: int = 0
    path: tuple[str, ...] = ()


def guess_attribute(subject: Value, name: str) -> Value:
    """What a set, which is a guess itself, has under `name`."""
    attrs = evaluated(subject)
    return attrs.get(name, UNKNOWN) if type(attrs) is AttrSet else UNKNOWN


@dataclass(slots=True)
class Late:
    """A thunk or closure whose upvalues are filled in later, in the place of `{}` in `payload`;
    `guard`, if it was made at all."""

    variable: str
    payload: str
    positions: tuple[Position, ...]
    captures_with: bool
    guard: str | None = None


class Unmade(NamedTuple):
    """What a thunk, not made yet, will compute, and from which variables; `closure`, if it will be one around
    a function: that."""

    code: Lambda
    captured: list[str]
    closure: str | None = None


@dataclass(slots=True)
class Facts:
    """What is known at a point of the code: which variables have an evaluated twin, or a type; and in which
    variable something is that was looked up, by where (a set, or all `with`s) and name."""

    forced: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    found: dict[tuple[str, str], str] = field(default_factory=dict)

    def copy(self) -> Facts:
        return Facts(dict(self.forced), dict(self.kinds), dict(self.found))

    def known(self, variable: str) -> str:
        """Its evaluated twin, or itself."""
        return self.forced.get(variable, variable)

    def forget(self, variable: str) -> None:
        """It is about to become something else."""
        self.forced.pop(variable, None)
        for where, name in list(self.found):
            if variable in (where, self.found[where, name]):
                del self.found[where, name]
