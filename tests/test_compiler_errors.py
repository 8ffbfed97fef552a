"""What the compiler objects to: all of it, in C++ Nix's words and order."""

from __future__ import annotations

import pytest

from aionix.compiler import CompileResult, compile_expression
from aionix.errors import DuplicateAttribute, UndefinedVariable
from aionix.source import SourceMap
from aionix.syntax import parse
from aionix.warnings import WarningKind

GLOBALS = frozenset(["true", "false", "null", "builtins", "map"])


def compiled(text: str) -> tuple[SourceMap, CompileResult]:
    sources = SourceMap()
    source = sources.add("f", text)
    return sources, compile_expression(parse(source), source, global_names=GLOBALS, base_dir="/")


def errors(text: str) -> list[str]:
    """`column: message` of each error."""
    sources, result = compiled(text)
    assert (result.code is None) == bool(result.errors)
    return [f"{sources.position(e.span).column}: {e.message}" for e in result.errors if e.span]


def warnings(text: str) -> list[str]:
    """`code column detail` of each warning."""
    sources, result = compiled(text)
    found = [f"{w.code} {sources.position(w.span).column} {w.detail}".strip() for w in result.warnings]
    return sorted(found)


@pytest.mark.parametrize(
    ("text", "path", "first", "second"),
    [
        ("{ a = 1; a = 2; }", "a", 3, 10),
        ("{ a.b = 1; a.b = 2; }", "a.b", 3, 12),
        ("{ a.b = 1; a = { b = 2; }; }", "a.b", 3, 18),
        ("{ a = map; a.b = 1; }", "a", 3, 12),
        ("{ a.b = 1; a = map; }", "a", 3, 12),
        ("{ inherit map; map = 1; }", "map", 11, 16),
        ("{ map = 1; inherit map; }", "map", 3, 20),
        ("{ inherit (map) a; a.b = 1; }", "a", 17, 20),
        ("{ inherit map map; }", "map", 11, 15),
        ("{ a.b.c = 1; a.b = { d = 2; c = 1; }; }", "a.b.c", 3, 29),
        ('{ a."b c" = 1; a."b c" = 2; }', 'a."b c"', 3, 16),
        ('{ "if" = 1; "if" = 2; }', '"if"', 3, 13),
        ('{ "" = 1; "" = 2; }', '""', 3, 11),
        ("let a = 1; a = 2; in a", "a", 5, 12),
        ("{ a.${null}.b.c = 1; }.a.${null} or { b = 1; b = 2; }", "b", 39, 46),
    ],
)
def test_a_name_is_defined_once(text: str, path: str, first: int, second: int) -> None:
    assert errors(text) == [f"{second}: attribute '{path}' already defined at f:1:{first}"]


@pytest.mark.parametrize(
    "text",
    [
        "{ a.b = 1; a.c = 2; }",
        "{ a = { b = 1; }; a.c = 2; }",
        "{ a.b = 1; a = { c = 2; }; }",
        "{ a = { inherit map; }; a = { inherit (map) b; }; }",
        "{ a.${null} = 1; a.${null} = 2; }",
        "{ ${null}.a = 1; ${null}.b = 2; }",
        "{ a = rec { b = 1; }; a.c = b; }",
        "let a.b = 1; a.c = 2; in a",
    ],
)
def test_sets_that_are_written_out_merge(text: str) -> None:
    assert errors(text) == []


def test_a_merged_set_is_recursive_if_its_first_part_is() -> None:
    assert errors("{ a = { b = 1; }; a = rec { c = b; }; }") == ["33: undefined variable 'b'"]


@pytest.mark.parametrize(
    "text", ["x", "[ x ]", "y: x", "let y = x; in y", "{ inherit x; }", "{ x = 1; y = x; }", "x.a or 1"]
)
def test_a_name_that_nothing_binds_is_undefined(text: str) -> None:
    (message,) = errors(text)
    assert message.endswith("undefined variable 'x'")


@pytest.mark.parametrize(
    "text", ["with map; x", "with map; y: [ x ]", "with map; { inherit x; }", "rec { x = y; y = x; }", "x: x"]
)
def test_a_name_that_something_may_bind_is_not(text: str) -> None:
    assert errors(text) == []


def test_all_errors_are_found_and_duplicates_come_first() -> None:
    assert errors("[ b (x a) { c = 1; c = d; } ]") == [
        "20: attribute 'c' already defined at f:1:13",
        "3: undefined variable 'b'",
        "6: undefined variable 'x'",
        "8: undefined variable 'a'",
        "24: undefined variable 'd'",
    ]


@pytest.mark.parametrize(
    ("text", "first", "then"),
    [
        ("{ a = 1; a = { c = 1; c = 2; }; }", "23: attribute 'c'", "10: attribute 'a'"),
        ("{ a = 1; a.b = [ { c = 1; c = 2; } ]; }", "27: attribute 'c'", "10: attribute 'a'"),
        ("{ a = { b = 1; }; a = { b = 2; c = 1; c = 2; }; }", "39: attribute 'c'", "25: attribute 'a.b'"),
        ("{ a = { b = 1; b = 2; }; a = 1; }", "16: attribute 'b'", "26: attribute 'a'"),
        ("let a = x: x; a.b = rec { c = 1; c = 2; }; in a", "34: attribute 'c'", "15: attribute 'a'"),
        ("{ a = { b = map; }; a = { b.c = { d = 1; d = 2; }; }; }", "42: attribute 'd'", "27: attribute 'a.b'"),
    ],
)
def test_of_two_names_defined_twice_the_one_whose_binding_ends_first_is_told_first(
    text: str, first: str, then: str
) -> None:
    found = errors(text)
    assert [line.partition(" already")[0] for line in found] == [first, then]


def test_the_source_of_an_inherit_is_looked_at_first() -> None:
    assert errors("{ a = b; inherit (c) d; }") == ["19: undefined variable 'c'", "7: undefined variable 'b'"]


def test_errors_have_kinds() -> None:
    _, result = compiled("{ a = 2; a = 1; }")
    assert [type(error) for error in result.errors] == [DuplicateAttribute]
    _, result = compiled("x")
    assert [type(error) for error in result.errors] == [UndefinedVariable]


def test_a_similar_name_is_suggested() -> None:
    _, result = compiled("let value = 1; in valeu")
    assert result.errors[0].hint == "Did you mean value?"
    _, result = compiled("zzz")
    assert result.errors[0].hint is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://example.org", ["W001 1"]),
        ("let a = 1; in let inherit a; in a", ["W002 27"]),
        ("let inherit map; in map", ["W002 13"]),
        ("let a = 1; in 2", ["W003 5 a"]),
        ("{ a, b }: a", ["W003 6 b"]),
        ("a: 1", ["W003 1 a"]),
        ("let map = 1; in map", ["W004 5 map"]),
        ("rec { true = 1; }", ["W004 7 true"]),
        ("let { body = 1; }", ["W005 1"]),
        ("null || true", ["W007 1 this expression is always true"]),
        (
            "false || null",
            ["W007 1 this `false` has no effect on the result of the comparison"],
        ),
        ("{ inherit; }", ["W009 3"]),
        ("let in 1", ["W010 1"]),
    ],
)
def test_what_is_odd_is_remarked(text: str, expected: list[str]) -> None:
    assert warnings(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "let _a = 1; in 2",
        "_: 1",
        "let a = b; b = a; in a",
        "with map; let inherit a; in a",
        "rec { a = 1; }",
        "x: y: x y",
        "let f = { a ? b, b }: a; in f",
    ],
)
def test_what_is_usual_is_not(text: str) -> None:
    assert warnings(text) == []


def test_a_shadowed_true_is_no_literal() -> None:
    assert warnings("let true = null; in x: x || true") == ["W004 5 true"]


def test_every_warning_has_its_own_code() -> None:
    codes = [kind.code for kind in WarningKind]
    assert len(set(codes)) == len(codes)


def test_a_detail_is_put_in_as_it_is() -> None:
    _, result = compiled('let a"b = 1; in 2'.replace('"', "'"))
    assert result.warnings[0].message == "variable 'a'b' is declared, but never used:"
