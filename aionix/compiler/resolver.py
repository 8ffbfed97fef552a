"""The first of two passes: what every name of a text means, and what is wrong or odd about it.

It also finds out what need not be compiled yet: the values and functions that lie inside, of which a
program runs one in ten. For the pass that writes code, `captures` has the names that each of
them takes from around. (To write no code for them saves a quarter of a cold start of nixpkgs.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import NamedTuple, TypeAlias, TypeVar, cast

from aionix.compiler.bindings import (
    Bindings,
    Code,
    Scoped,
    collect,
    normalise,
    with_overrides,
)
from aionix.compiler.emit import too_large_to_jump
from aionix.compiler.operators import FUNCTIONS, SWAPPED, useless_boolean
from aionix.errors import CompileError, DuplicateAttribute, UndefinedVariable
from aionix.source import Source, Span
from aionix.syntax import pretty
from aionix.syntax.nodes import (
    Apply,
    Assert,
    AttrName,
    AttrSet,
    Binary,
    DynamicName,
    Float,
    HasAttr,
    If,
    Inherit,
    Int,
    Lambda,
    LegacyLet,
    Let,
    List,
    Path,
    SearchPath,
    Select,
    StaticName,
    Str,
    Unary,
    Uri,
    Var,
    With,
)  # fmt: skip
from aionix.warnings import EvalWarning, WarningKind

N = TypeVar("N")
Visit: TypeAlias = "Callable[[Resolver, N], None]"

_VISITS: dict[type, Visit[Code]] = {}

# A checkpoint costs a clock reading; this many expressions take well under a millisecond.
NODES_PER_CHECKPOINT = 200

#: Source text, in bytes, that is worth compiling later: a thunk of less is written as quickly. What lies in
#: code that runs is likely to run, too; and of a short text, most does.
WORTHWHILE = 28
WORTHWHILE_IN_A_PIECE = 300
SHORT = 1000

# Looking for similar names is slow in a large scope; nobody reads more hints than this.
MAX_HINTS = 10


def visits(*kinds: type) -> Callable[[Visit[N]], Visit[N]]:
    """Registers how the names in nodes of these `kinds` are resolved."""

    def register(handler: Visit[N]) -> Visit[N]:
        for kind in kinds:
            _VISITS[kind] = cast("Visit[Code]", handler)
        return handler

    return register


class Captures(NamedTuple):
    """The names that a piece of code takes from around it, and whether from a `with`, too."""

    names: tuple[str, ...]
    captures_with: bool


NOTHING = Captures((), False)


class Name:
    """A name that the text binds."""

    __slots__ = ("name", "span", "used")

    def __init__(self, name: str, span: Span) -> None:
        self.name = name
        self.span = span
        self.used = False


class Piece:
    """Code that is compiled at a time: its own names, and those that it takes from around."""

    __slots__ = ("bound", "captured", "captures_with", "inside_with", "withs")

    def __init__(self, captured: Iterable[str], inside_with: bool) -> None:
        self.bound: dict[str, list[Name]] = {}
        self.captured = dict.fromkeys(captured)
        self.inside_with = inside_with
        self.captures_with = False
        self.withs = 0  # how many of this very piece are open

    @property
    def has_with(self) -> bool:
        """May an unknown name come from a `with`?"""
        return self.withs > 0 or self.inside_with

    def find(self, name: str) -> bool:
        """Is `name` bound here? It is used, then."""
        found = self.bound.get(name)
        if not found:
            return False
        found[-1].used = True
        return True

    def visible(self) -> list[str]:
        return [*[name for name, found in self.bound.items() if found], *self.captured]


class Resolver:
    """Resolves one text. What is not compiled yet is a piece of its own; what is in that comes later."""

    def __init__(
        self,
        source: Source,
        global_names: frozenset[str],
        checkpoint: Callable[[], None] | None,
        outer: Captures = NOTHING,
    ) -> None:
        self.source = source
        self.global_names = global_names
        self.errors: list[CompileError] = []
        self.warnings: list[EvalWarning] = []
        self.captures: dict[Code, Captures] = {}
        self.bindings: dict[Code, Bindings] = {}
        self.paths: list[Path] = []  # that are nothing but text
        self.piece = self._whole = Piece(outer.names, outer.captures_with)
        size = len(source.text)
        self._smallest = WORTHWHILE if outer is NOTHING else WORTHWHILE_IN_A_PIECE
        self._largest = 0 if size < SHORT else size // 2  # what is larger would be parsed twice for nothing
        self._checkpoint = checkpoint
        self._countdown = NODES_PER_CHECKPOINT
        self._declared = {name for name in outer.names if name.startswith("__")}

    # Expressions

    def visit(self, node: Code) -> None:
        """Resolves all names in `node`."""
        self._countdown -= 1
        if self._countdown < 0:
            self._countdown = NODES_PER_CHECKPOINT
            if self._checkpoint is not None:
                self._checkpoint()
        _VISITS[type(node)](self, node)

    def later(self, node: Code, visit: Callable[[Resolver, Code], None] | None = None) -> None:
        """As `visit`, for code that runs later, if at all, and can be compiled then."""
        visit = visit or Resolver.visit
        start, end = node.span
        if (
            not self._smallest <= end - start <= self._largest
            or self.piece is not self._whole
            or type(node) is Bindings  # the text is in several places
            or type(node) is Scoped  # made anew for the pass that writes code
        ):
            visit(self, node)
            return
        self.piece = piece = Piece((), self._whole.has_with)
        visit(self, node)
        self.piece = self._whole
        self.captures[node] = Captures(tuple(piece.captured), piece.captures_with)

    def branch(self, node: Code) -> None:
        """As `visit`, for code that is jumped over: if it is too large for that, it is a thunk."""
        if too_large_to_jump(node.span):
            self.later(node)
        else:
            self.visit(node)

    # Names

    def declare(self, name: str, span: Span) -> Name:
        """A new name that the program bound."""
        if name in self.global_names:
            self.warn(WarningKind.SHADOWED_GLOBAL, span, name)
        if name.startswith("__"):
            self._declared.add(name)
        bound = Name(name, span)
        self.reveal(bound)
        return bound

    def hide(self, bound: Name) -> None:
        """Ends the newest name of that text, or hides it until `reveal`."""
        self.piece.bound[bound.name].pop()

    def reveal(self, bound: Name) -> None:
        self.piece.bound.setdefault(bound.name, []).append(bound)

    def close(self, names: Iterable[Name], report_unused: bool) -> None:
        """The names go out of scope."""
        for bound in names:
            self.hide(bound)
            if report_unused and not bound.used and not bound.name.startswith(("_", " ")):
                self.warn(WarningKind.UNUSED_BINDING, bound.span, bound.name)

    def is_lexical(self, name: str) -> bool:
        """Is `name` bound in the text here? It is used, then."""
        piece = self.piece
        if piece.find(name) or name in piece.captured:
            return True
        if piece is self._whole or not (self._whole.find(name) or name in self._whole.captured):
            return False
        piece.captured[name] = None
        return True

    def is_global(self, name: str) -> bool:
        """Does `name` mean the global here?"""
        return name in self.global_names and not self.is_lexical(name)

    def overridden(self, name: str) -> bool:
        """Does the program bind `name`, a function behind an operator, here?"""
        return name in self._declared and self.is_lexical(name)

    def use(self, node: Var) -> None:
        """Something reads the variable."""
        name, piece = node.name, self.piece
        if self.is_lexical(name) or name in self.global_names:
            return
        if piece.has_with:
            piece.captures_with = piece.inside_with
        else:
            message = f"undefined variable '{name}'"
            self.errors.append(UndefinedVariable(message, span=node.span, hint=self._similar(name)))

    def _similar(self, name: str) -> str | None:
        if len(self.errors) >= MAX_HINTS:
            return None
        visible = {*self.piece.visible(), *self._whole.visible(), *self.global_names}
        ordinary = [other for other in visible if not other.startswith((" ", "__"))]
        close = get_close_matches(name, ordinary, cutoff=0.7)
        return f"Did you mean {' or '.join(sorted(close))}?" if close else None

    # Bindings

    def collect(self, node: AttrSet | LegacyLet | Let, recursive: bool) -> Bindings:
        """The bindings of `node`, merged; also for who writes its code."""
        for binding in node.bindings:
            if type(binding) is Inherit and not binding.names:
                self.warn(WarningKind.EMPTY_INHERIT, binding.span)
        merged = collect(node.bindings, recursive, node.span, self._clash)
        if self.piece is self._whole:
            self.bindings[node] = merged
        return merged

    def _clash(self, path: Sequence[AttrName], second: Span, first: Span, binding: Span) -> None:
        line, column = self.source.position(first.start)
        place = f"{self.source.name}:{line}:{column}"
        shown = ".".join([show_name(name) for name in path])
        error = DuplicateAttribute(f"attribute '{shown}' already defined at {place}", span=second)
        error.found_at = binding.end
        self.errors.append(error)

    def attribute_name(self, name: AttrName) -> None:
        if type(name) is DynamicName:
            self.visit(name.expr)

    def warn(self, kind: WarningKind, span: Span, detail: str = "") -> None:
        self.warnings.append(EvalWarning(kind, span, detail))


def show_name(name: AttrName) -> str:
    """An attribute's name as error messages show it."""
    if isinstance(name, StaticName):
        return pretty.attribute(name.text)
    return '"${' + pretty.show(normalise(name.expr)) + '}"'


# Each kind of expression. What is evaluated later comes as it stands in the code, not in the text.


@visits(Int, Float)
def number(r: Resolver, node: Int | Float) -> None:
    pass


@visits(Uri)
def uri(r: Resolver, node: Uri) -> None:
    r.warn(WarningKind.DEPRECATED_URL, node.span)


@visits(Str)
def text(r: Resolver, node: Str | Path) -> None:
    for part in node.parts:
        if not isinstance(part, str):
            r.visit(part)


@visits(Path)
def path(r: Resolver, node: Path) -> None:
    if len(node.parts) == 1:
        r.paths.append(node)
    text(r, node)


@visits(SearchPath)
def search_path(r: Resolver, node: SearchPath) -> None:
    if r.overridden("__findFile") or r.overridden("__nixPath"):
        r.use(Var("__nixPath", node.span))
        r.use(Var("__findFile", node.span))


@visits(List)
def list_(r: Resolver, node: List) -> None:
    for item in node.items:
        r.later(item)


@visits(Var)
def var(r: Resolver, node: Var) -> None:
    if node.name != "__curPos":
        r.use(node)


@visits(With)
def with_(r: Resolver, node: With) -> None:
    r.later(node.namespace)
    piece = r.piece
    piece.withs += 1
    r.visit(node.body)
    piece.withs -= 1


@visits(Select)
def select(r: Resolver, node: Select) -> None:
    r.visit(node.subject)
    for name in node.path:
        r.attribute_name(name)
    if node.default is not None:
        r.branch(node.default)


@visits(HasAttr)
def has_attr(r: Resolver, node: HasAttr) -> None:
    r.visit(node.subject)
    for name in node.path:
        r.attribute_name(name)


@visits(Apply)
def apply(r: Resolver, node: Apply) -> None:
    before = len(r.errors)
    r.later(node.argument)
    between = len(r.errors)
    r.visit(node.function)
    if between > before:  # the function's errors come first, as they stand in the text
        r.errors[before:] = r.errors[between:] + r.errors[before:between]


@visits(If)
def if_(r: Resolver, node: If) -> None:
    r.visit(node.condition)
    r.branch(node.consequence)
    r.branch(node.alternative)


@visits(Assert)
def assert_(r: Resolver, node: Assert) -> None:
    r.visit(node.condition)
    r.branch(node.body)


@visits(Unary)
def unary(r: Resolver, node: Unary) -> None:
    if node.op == "-" and r.overridden("__sub"):
        r.later(node.operand)
        r.use(Var("__sub", node.span))
    else:
        r.visit(node.operand)


@visits(Binary)
def binary(r: Resolver, node: Binary) -> None:
    op = node.op
    if op in ("&&", "||", "->"):
        short_circuit(r, node)
        return
    first, second = (node.right, node.left) if op in SWAPPED else (node.left, node.right)
    function = FUNCTIONS.get(op)
    if function is not None and r.overridden(function):
        r.later(second)
        r.later(first)
        r.use(Var(function, node.op_span))
    else:
        r.visit(first)
        r.visit(second)


def short_circuit(r: Resolver, node: Binary) -> None:
    useless = useless_boolean(node, r.is_global)
    if useless is not None:
        r.warn(WarningKind.USELESS_BOOLEAN, node.span, useless[0])
        if useless[1] is not None:
            r.visit(useless[1])
            return
    r.visit(node.left)
    r.branch(node.right)


# Sets, `let`, and functions


@visits(AttrSet)
def attr_set(r: Resolver, node: AttrSet) -> None:
    bindings(r, r.collect(node, node.recursive))


@visits(LegacyLet)
def legacy_let(r: Resolver, node: LegacyLet) -> None:
    r.warn(WarningKind.LEGACY_LET, node.span)
    bindings(r, r.collect(node, True))


@visits(Bindings)
def bindings(r: Resolver, node: Bindings) -> None:
    if node.recursive and "__overrides" in node.static:
        r.visit(with_overrides(node))
        return
    names = definitions(r, node, scoped=node.recursive)
    for name, value in node.dynamic:
        r.attribute_name(name)
        r.later(value)
    r.close(names, report_unused=False)


@visits(Let)
def let(r: Resolver, node: Let) -> None:
    merged = r.collect(node, True)
    if not node.bindings:
        r.warn(WarningKind.EMPTY_LET, node.span)
    drop_useless_inherits(r, merged)
    let_in(r, merged, node.body)


def drop_useless_inherits(r: Resolver, merged: Bindings) -> None:
    """`let inherit a; in` changes nothing unless `a` comes from a `with`."""
    for name, definition in list(merged.static.items()):
        if definition.kind == "outer" and (r.is_lexical(name) or r.is_global(name)):
            r.warn(WarningKind.USELESS_INHERIT, definition.span)
            del merged.static[name]


@visits(Scoped)
def scoped(r: Resolver, node: Scoped) -> None:
    let_in(r, node.bindings, node.body)


def let_in(r: Resolver, merged: Bindings, body: Code) -> None:
    names = definitions(r, merged, scoped=True)
    r.visit(body)
    r.close(names, report_unused=True)


def definitions(r: Resolver, merged: Bindings, scoped: bool) -> list[Name]:
    """Resolves the static ones; the names that they have brought into scope."""
    found = merged.in_order()
    names = [r.declare(name, definition.span) for name, definition in found] if scoped else []
    for source in merged.sources:
        r.later(source)
    for index, (_, definition) in enumerate(found):
        if definition.kind == "value":
            r.later(definition.value)
        elif definition.kind == "outer":
            if names:
                r.hide(names[index])
            r.visit(definition.value)
            if names:
                r.reveal(names[index])
    for value in merged.dropped:
        r.later(value)
    return names


@visits(Lambda)
def lambda_(r: Resolver, node: Lambda) -> None:
    r.later(node, cast("Visit[Code]", function))


def function(r: Resolver, node: Lambda) -> None:
    names = []
    if node.name is not None:
        names.append(r.declare(node.name, node.name_span or node.span))
    if node.formals is not None:
        names += [r.declare(formal.name, formal.span) for formal in node.formals.entries]
        for formal in node.formals.entries:
            if formal.default is not None:
                r.later(formal.default)
    r.visit(node.body)
    r.close(names, report_unused=True)
