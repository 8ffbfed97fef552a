"""The syntax tree. Each class shows, in its first line, the Nix text it stands for.

Nodes are built during reduction and never changed afterwards. They are not `frozen`
dataclasses, because freezing makes construction twice as slow and a parse builds one node for
every few bytes. Parentheses leave no node; pipes become `Apply`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from aionix.source import Span


@dataclass(slots=True, eq=False)
class Int:
    """`42`; always in 0 .. 2**63-1."""

    value: int
    span: Span


@dataclass(slots=True, eq=False)
class Float:
    """`1.5e3`"""

    value: float
    span: Span


@dataclass(slots=True, eq=False)
class Str:
    """`"a ${b} c"` and `''a ${b} c''`: unescaped text and interpolations, in turn.

    No part is an empty text; `""` has no parts. Two texts meet only in indented strings, around
    escapes, since Nix keeps these apart.
    """

    parts: tuple[str | Expr, ...]
    span: Span


@dataclass(slots=True, eq=False)
class Uri:
    """`https://example.org/a`, a string without quotes."""

    text: str
    span: Span


@dataclass(slots=True, eq=False)
class Path:
    """`/a/b`, `./a`, `a/b${c}`, `~/a`: texts and interpolations; the first part is a text.

    `kind` says what the text is relative to: nothing, the directory of the file, or the home.
    The text is as written (`./a`, `~/a`), not yet joined or cleaned.
    """

    kind: Literal["absolute", "relative", "home"]
    parts: tuple[str | Expr, ...]
    span: Span


@dataclass(slots=True, eq=False)
class SearchPath:
    """`<nixpkgs/lib>`; `name` is the text between the brackets."""

    name: str
    span: Span


@dataclass(slots=True, eq=False)
class Var:
    """`x`"""

    name: str
    span: Span


@dataclass(slots=True, eq=False)
class StaticName:
    """`a` or `"a"` where an attribute is named; `${"a"}` counts as this too."""

    text: str
    span: Span


@dataclass(slots=True, eq=False)
class DynamicName:
    """`${expr}` or `"a${expr}"` where an attribute is named."""

    expr: Expr
    span: Span


AttrName: TypeAlias = StaticName | DynamicName


@dataclass(slots=True, eq=False)
class Select:
    """`subject.a.b` or `subject.a.b or default`"""

    subject: Expr
    path: tuple[AttrName, ...]
    default: Expr | None
    span: Span


@dataclass(slots=True, eq=False)
class HasAttr:
    """`subject ? a.b`"""

    subject: Expr
    path: tuple[AttrName, ...]
    span: Span


@dataclass(slots=True, eq=False)
class Apply:
    """`function argument`"""

    function: Expr
    argument: Expr
    span: Span


UnaryOp: TypeAlias = Literal["!", "-"]
BinaryOp: TypeAlias = Literal[
    "->", "||", "&&", "==", "!=", "<", "<=", ">", ">=", "//", "+", "-", "*", "/", "++"
]


@dataclass(slots=True, eq=False)
class Unary:
    """`!a` or `-a`"""

    op: UnaryOp
    operand: Expr
    span: Span


@dataclass(slots=True, eq=False)
class Binary:
    """`a op b`; `op_span` is the operator's own place, where Nix points its errors."""

    op: BinaryOp
    left: Expr
    right: Expr
    span: Span
    op_span: Span


@dataclass(slots=True, eq=False)
class If:
    """`if condition then consequence else alternative`"""

    condition: Expr
    consequence: Expr
    alternative: Expr
    span: Span


@dataclass(slots=True, eq=False)
class Assert:
    """`assert condition; body`"""

    condition: Expr
    body: Expr
    span: Span


@dataclass(slots=True, eq=False)
class With:
    """`with namespace; body`"""

    namespace: Expr
    body: Expr
    span: Span


@dataclass(slots=True, eq=False)
class Binding:
    """`a.b.c = value;`"""

    path: tuple[AttrName, ...]
    value: Expr
    span: Span


@dataclass(slots=True, eq=False)
class Inherit:
    """`inherit a b;` or `inherit (source) a b;`

    `${...}` names are refused by the parser, as Nix does; strings are names here.
    """

    source: Expr | None
    names: tuple[StaticName, ...]
    span: Span


@dataclass(slots=True, eq=False)
class Let:
    """`let bindings in body`"""

    bindings: tuple[Binding | Inherit, ...]
    body: Expr
    span: Span


@dataclass(slots=True, eq=False)
class LegacyLet:
    """`let { bindings }`: a `rec` set of which `body` is selected."""

    bindings: tuple[Binding | Inherit, ...]
    span: Span


@dataclass(slots=True, eq=False)
class AttrSet:
    """`{ bindings }` or `rec { bindings }`, as written: nested paths are not merged yet."""

    recursive: bool
    bindings: tuple[Binding | Inherit, ...]
    span: Span


@dataclass(slots=True, eq=False)
class List:
    """`[ a b c ]`"""

    items: tuple[Expr, ...]
    span: Span


@dataclass(slots=True, eq=False)
class Formal:
    """`name` or `name ? default` in a pattern."""

    name: str
    default: Expr | None
    span: Span


@dataclass(slots=True, eq=False)
class Formals:
    """`{ a, b ? 1, ... }` before a colon, in source order."""

    entries: tuple[Formal, ...]
    ellipsis: bool
    span: Span


@dataclass(slots=True, eq=False)
class Lambda:
    """`name: body`, `{ formals }: body`, `{ formals }@name: body`.

    At least one of `name` and `formals` is there. `name_span` is `name`'s place.
    """

    name: str | None
    name_span: Span | None
    formals: Formals | None
    body: Expr
    span: Span


Expr: TypeAlias = (
    Int | Float | Str | Uri | Path | SearchPath | Var | Select | HasAttr | Apply | Unary | Binary
    | If | Assert | With | Let | LegacyLet | AttrSet | List | Lambda
)
