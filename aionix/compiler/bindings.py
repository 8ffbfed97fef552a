"""Makes the language smaller: `a.b = 1; a = { c = 2; }; inherit (d) e;` becomes plain data.

The rules are those of C++ Nix's parser: paths and literal sets of the same name merge, a merged
set is recursive if its first part is, and anything else that is defined twice is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Literal, TypeAlias, TypeVar, cast

from aionix.source import Span
from aionix.syntax.nodes import (
    AttrName,
    AttrSet,
    Binary,
    Binding,
    DynamicName,
    Expr,
    Inherit,
    LegacyLet,
    Let,
    Select,
    StaticName,
    Var,
)  # fmt: skip


@dataclass(slots=True, eq=False)
class Definition:
    """What a static name is bound to, and where the name was written.

    `outer`: the variable of that name around the set (`inherit a`); `source`: an attribute of
    `sources[source]` (`inherit (e) a`); `value`: an expression.
    """

    kind: Literal["value", "outer", "source"]
    value: Code
    span: Span
    source: int = 0


@dataclass(slots=True, eq=False)
class Bindings:
    """The bindings of a set or `let`, merged. Each source of an `inherit (e)` is there once.

    `dropped`: values of names that were defined before; they may have mistakes of their own.
    """

    recursive: bool
    span: Span
    static: dict[str, Definition] = field(default_factory=dict)
    sources: list[Expr] = field(default_factory=list)
    dynamic: list[tuple[DynamicName, Code]] = field(default_factory=list)
    dropped: list[Code] = field(default_factory=list)

    def in_order(self) -> list[tuple[str, Definition]]:
        """The static ones as they are evaluated to thunks: what comes from outside is there at once, so
        that others can read it without one."""
        items = [*self.static.items()]
        outer = [item for item in items if item[1].kind == "outer"]
        return outer + [item for item in items if item[1].kind != "outer"] if outer else items


@dataclass(slots=True, eq=False)
class Scoped:
    """`let bindings in body`, merged."""

    bindings: Bindings
    body: Code
    span: Span


#: What can be compiled: expressions, and what became of them here.
Code: TypeAlias = Expr | Bindings | Scoped

#: Told about (path, second place, first place, binding) of whatever is defined twice, found in that binding.
Tell: TypeAlias = Callable[[Sequence[AttrName], Span, Span, Span], None]


@dataclass(slots=True)
class Clash:
    """Tells of clashes in the binding at `binding`. C++ Nix stops at the one whose binding ends first."""

    tell: Tell
    binding: Span

    def __call__(self, path: Sequence[AttrName], second: Span, first: Span) -> None:
        self.tell(path, second, first, self.binding)


def collect(nodes: Sequence[Binding | Inherit], recursive: bool, span: Span, tell: Tell) -> Bindings:
    """The bindings merged; clashes are reported and the first definition stays."""
    into = Bindings(recursive, span)
    clash = Clash(tell, span)
    for node in nodes:
        clash.binding = node.span
        if type(node) is Binding:
            _bind(into, node, clash)
        elif type(node) is Inherit:
            _inherit(into, node, clash)
    return into


def _inherit(into: Bindings, node: Inherit, clash: Clash) -> None:
    source = len(into.sources)
    if node.source is not None and node.names:
        into.sources.append(node.source)
    for name in node.names:
        variable = Var(name.text, name.span)
        kind: Literal["outer", "source"] = "outer" if node.source is None else "source"
        _define(into, (name,), Definition(kind, variable, name.span, source), clash)


def _bind(into: Bindings, node: Binding, clash: Clash) -> None:
    path = node.path
    span = path[0].span
    for depth in range(len(path) - 1):
        nested = _descend(into, path, depth, clash)
        if nested is None:
            into.dropped.append(node.value)
            return
        into = nested
    name = path[-1]
    if type(name) is StaticName:
        _define(into, path, Definition("value", node.value, span), clash)
    elif type(name) is DynamicName:
        into.dynamic.append((name, node.value))


def _descend(into: Bindings, path: Sequence[AttrName], depth: int, clash: Clash) -> Bindings | None:
    """The nested set that `path[depth]` stands for; a new one where there is none."""
    name, span = path[depth], path[0].span
    nested = Bindings(False, span)
    if type(name) is DynamicName:
        into.dynamic.append((name, nested))
        return nested
    existing = into.static.get(cast(StaticName, name).text)
    if existing is None:
        into.static[cast(StaticName, name).text] = Definition("value", nested, span)
        return nested
    found = _as_set(existing, clash)
    if found is None:
        clash(path[: depth + 1], span, existing.span)
    return found


def _define(into: Bindings, path: Sequence[AttrName], new: Definition, clash: Clash) -> None:
    name: str = path[-1].text  # type: ignore[union-attr]  # a cast would take time
    existing = into.static.get(name)
    if existing is None:
        into.static[name] = new
        return
    target, addition = _as_set(existing, clash), _as_set(new, clash)
    if target is None or addition is None:
        clash(path, new.span, existing.span)
        into.dropped.append(new.value)
    else:
        _merge(target, addition, path, clash)


def _merge(target: Bindings, addition: Bindings, path: Sequence[AttrName], clash: Clash) -> None:
    offset = len(target.sources)
    target.sources += addition.sources
    target.dynamic += addition.dynamic
    target.dropped += addition.dropped
    for name, definition in addition.static.items():
        definition.source += offset
        _define(target, (*path, StaticName(name, definition.span)), definition, clash)


def _as_set(definition: Definition, clash: Clash) -> Bindings | None:
    """The literal set that a name is bound to, from now on as merged bindings."""
    value = definition.value
    if definition.kind != "value":
        return None
    if type(value) is AttrSet:
        definition.value = value = collect(value.bindings, value.recursive, value.span, clash.tell)
    return value if type(value) is Bindings else None


_SETS = (AttrSet, Bindings)


def with_overrides(bindings: Bindings) -> Scoped:
    """`rec { __overrides = e; ... }` as `let outer in let inner in whole`.

    The old hook replaces attributes by those of `e`, also where other attributes refer to them. So
    the names in scope are those of `raw // raw.__overrides`, `raw` being the set without the hook. While
    `e` is evaluated there is nothing but `raw` yet; the attributes of a literal set are not evaluated then.
    Names with a blank cannot be written in Nix.
    """
    span = bindings.span
    outer, inner, raw = Bindings(True, span), Bindings(True, span), Bindings(False, span)
    early = Bindings(True, span)
    raw.sources, raw.dynamic, raw.dropped = bindings.sources, bindings.dynamic, bindings.dropped
    whole, plain = Var(" whole", span), Var(" raw", span)
    for name, definition in bindings.static.items():
        if definition.kind == "outer":
            outer.static[" " + name] = Definition("value", definition.value, definition.span)
            definition = Definition("value", Var(" " + name, definition.span), definition.span)
        elif name == "__overrides" and definition.kind == "value" and type(definition.value) not in _SETS:
            early.sources.append(plain)
            definition = Definition("value", Scoped(early, definition.value, span), definition.span)
        raw.static[name] = definition
        inner.static[name] = Definition("source", whole, definition.span)
        early.static[name] = Definition("source", plain, definition.span)
    hook = Select(plain, (StaticName("__overrides", span),), None, span)
    merged = Binary("//", plain, hook, span, span)
    inner.sources.append(whole)
    inner.static[plain.name] = Definition("value", raw, span)
    inner.static[whole.name] = Definition("value", merged, span)
    return Scoped(outer, Scoped(inner, whole, span), span)


_Node = TypeVar("_Node")


def normalise(expr: Expr) -> Expr:
    """`expr` with all bindings merged: what `syntax.pretty` wants.

    The second of two clashing definitions is left out; compiling the same expression reports it.
    Recurses as deep as the tree: the caller lifts Python's recursion limit.
    """
    return cast(Expr, _normal(expr))


def _normal(node: object) -> object:
    if type(node) is tuple:
        return tuple([_normal(item) for item in node])
    if type(node) is Bindings:
        return AttrSet(node.recursive, _as_nodes(node), node.span)
    if not hasattr(node, "__dataclass_fields__"):
        return node
    if type(node) in (AttrSet, Let, LegacyLet):
        return _normal_set(cast("AttrSet | Let | LegacyLet", node))
    return _rebuilt(node)


def _normal_set(node: AttrSet | Let | LegacyLet) -> Expr:
    bindings = _as_nodes(collect(node.bindings, False, node.span, _ignore))
    if type(node) is Let:
        return Let(bindings, normalise(node.body), node.span)
    if type(node) is LegacyLet:
        return LegacyLet(bindings, node.span)
    return AttrSet(cast(AttrSet, node).recursive, bindings, node.span)


def _rebuilt(node: _Node) -> _Node:
    parts = [_normal(getattr(node, part.name)) for part in fields(node)]  # type: ignore[arg-type] # a dataclass
    return type(node)(*parts)


def _ignore(_path: Sequence[AttrName], _second: Span, _first: Span, _binding: Span) -> None:
    pass


def _as_nodes(bindings: Bindings) -> tuple[Binding | Inherit, ...]:
    nodes: list[Binding | Inherit] = []
    static = bindings.static
    outer = [StaticName(name, d.span) for name, d in static.items() if d.kind == "outer"]
    if outer:
        nodes.append(Inherit(None, tuple(outer), bindings.span))
    inherited: list[list[StaticName]] = [[] for _ in bindings.sources]
    for name, d in static.items():
        if d.kind == "source":
            inherited[d.source].append(StaticName(name, d.span))
    for source, names in zip(bindings.sources, inherited, strict=True):
        nodes.append(Inherit(cast(Expr, _normal(source)), tuple(names), bindings.span))
    for name, d in static.items():
        if d.kind == "value":
            nodes.append(Binding((StaticName(name, d.span),), cast(Expr, _normal(d.value)), d.span))
    for key, value in bindings.dynamic:
        nodes.append(Binding((cast(DynamicName, _normal(key)),), cast(Expr, _normal(value)), key.span))
    return tuple(nodes)
