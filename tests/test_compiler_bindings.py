"""Merged bindings as plain data."""

from __future__ import annotations

import pytest

from aionix.compiler.bindings import Bindings, Definition, collect, normalise
from aionix.source import SourceMap, Span
from aionix.syntax import parse
from aionix.syntax.nodes import AttrSet, Int, Var
from aionix.syntax.pretty import show


def merged(text: str) -> object:
    """The bindings of the set `text`: nested dicts; `None` stands for a plain `inherit`, a string
    for the source of an `inherit (source)`."""
    node = parse(SourceMap().add("f", text))
    assert isinstance(node, AttrSet)
    clashes: list[Span] = []
    bindings = collect(node.bindings, False, node.span, lambda path, second, first: clashes.append(second))
    assert clashes == []
    return as_data(bindings)


def as_data(bindings: Bindings) -> dict[str, object]:
    data = {name: value_of(bindings, definition) for name, definition in bindings.static.items()}
    for key, value in bindings.dynamic:
        data[f"${{{show(key.expr)}}}"] = as_data(value) if isinstance(value, Bindings) else "value"
    return data


def value_of(bindings: Bindings, definition: Definition) -> object:
    value = definition.value
    if definition.kind == "outer":
        return None
    if definition.kind == "source":
        return show(bindings.sources[definition.source])
    if isinstance(value, Bindings):
        return as_data(value)
    return value.value if isinstance(value, Int) else type(value).__name__


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ }", {}),
        ("{ a = 1; }", {"a": 1}),
        ("{ a.b.c = 1; a.b.d = 2; a.e = 3; }", {"a": {"b": {"c": 1, "d": 2}, "e": 3}}),
        ("{ a = { b = 1; }; a.c = 2; }", {"a": {"b": 1, "c": 2}}),
        ("{ a.b = 1; a = { c = { d = 2; }; }; a.c.e = 3; }", {"a": {"b": 1, "c": {"d": 2, "e": 3}}}),
        ("{ a = { b = 1; }; }", {"a": "AttrSet"}),
        ("{ inherit a; b = 1; }", {"a": None, "b": 1}),
        ("{ inherit (x) a b; inherit (y) c; }", {"a": "x", "b": "x", "c": "y"}),
        ("{ inherit (x); inherit (y) a; }", {"a": "y"}),
        (
            "{ a = { inherit (x) b; }; a = { inherit (y) c; inherit d; }; }",
            {"a": {"b": "x", "c": "y", "d": None}},
        ),
        ('{ "a" = 1; ${"b"} = 2; }', {"a": 1, "b": 2}),
        ("{ ${x} = 1; a.${y}.c = 2; }", {"a": {"${y}": {"c": 2}}, "${x}": "value"}),
    ],
)
def test_bindings_become(text: str, expected: object) -> None:
    assert merged(text) == expected


def test_a_merged_set_keeps_the_first_recursiveness() -> None:
    node = parse(SourceMap().add("f", "{ a = rec { b = 1; }; a = { c = b; }; }"))
    assert show(normalise(node)) == "{ a = rec { b = 1; c = b; }; }"


def test_normalising_reaches_every_expression() -> None:
    text = "x: [ ({ a ? { b.c = 1; b.d = 2; } }: let e.f = 1; e.g = 2; in e.h or { i.j = 1; }) ]"
    shown = show(normalise(parse(SourceMap().add("f", text))))
    assert shown == (
        "(x: [ (({ a ? { b = { c = 1; d = 2; }; } }: "
        "(let e = { f = 1; g = 2; }; in (e).h or ({ i = { j = 1; }; })))) ])"
    )


def test_normalising_leaves_a_tree_without_sets_as_it_is() -> None:
    node = parse(SourceMap().add("f", "x"))
    same = normalise(node)
    assert isinstance(same, Var)
    assert same.name == "x"


def test_the_tree_itself_is_not_changed() -> None:
    node = parse(SourceMap().add("f", "{ a = { b = 1; }; a.c = 2; }"))
    before = show(node)
    normalise(node)
    assert show(node) == before
