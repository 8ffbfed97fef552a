"""Trees as text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aionix.source import SourceMap, Span
from aionix.syntax import nodes, parse
from aionix.syntax.nodes import Expr
from aionix.syntax.pretty import show


def shown(text: str, base_dir: str | None = None, home: str | None = None) -> str:
    return show(parse(SourceMap().add("test", text)), base_dir=base_dir, home=home)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a >= b", "(! (__lessThan a b))"),
        ("a <= b", "(! (__lessThan b a))"),
        ("a > b", "(__lessThan b a)"),
        ("(a < b) c", "(__lessThan a b c)"),
        ("-a", "(__sub 0 a)"),
        ("<a/b>", '(__findFile __nixPath "a/b")'),
        ("a:b", '"a:b"'),
        ('"a" + "${b}"', '("a" + (b))'),
        (r'"\"\\\n\r\t\${$"', r'"\"\\\n\r\t\${$"'),
        ("{ }", "{ }"),
        ("[ ]", "[ ]"),
        ("let in a", "(let in a)"),
        (
            "{ z = 1; inherit y x; inherit (a) c b; ${d} = 2; a = 3; inherit w; }",
            '{ inherit w x y; inherit (a) b c; a = 3; z = 1; "${d}" = 2; }',
        ),
        ('{ "a b" = 1; "if" = 2; "or" = 3; "1" = 4; }', '{ "1" = 4; "a b" = 1; "if" = 2; or = 3; }'),
        ('a ? "b c".${d}', '((a) ? "b c"."${d}")'),
        ("{ b, a }: 1", "({ a, b }: 1)"),
        ("{ ... }: 1", "({ ... }: 1)"),
        ("1.0e-5 + 12345678.9", "(1e-05 + 1.23457e+07)"),
    ],
)
def test_show_prints_as_nix_does(text: str, expected: str) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("./a", "/w/x/a"),
        ("../a/./b", "/w/a/b"),
        ("./../../..", "/"),
        ("/a/../b", "/b"),
        ("~/a", "/home/me/a"),
        ("./a/${b}/c", '(/w/x/a/ + b + "/c")'),
        ("/${b}", "(/ + b)"),
    ],
)
def test_paths_are_joined_to_their_base(text: str, expected: str) -> None:
    assert shown(text, "/w/x", "/home/me") == expected


def test_paths_without_a_base_stay_as_written() -> None:
    assert shown("[ ./a ~/b /c/../d ]") == "[ (./a) (~/b) (/d) ]"


NOWHERE = Span(0, 0)
NAMES = st.sampled_from(["a", "b", "x'", "y-z", "_", "or'"])
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
ATTRIBUTES = st.builds(nodes.StaticName, NAMES | TEXTS, st.just(NOWHERE))
BINARY = st.sampled_from(["->", "||", "&&", "==", "!=", "<", "<=", ">", ">=", "//", "+", "-", "*", "/", "++"])


def leaves() -> st.SearchStrategy[Expr]:
    return st.one_of(
        st.builds(nodes.Int, st.integers(0, 2**63 - 1), st.just(NOWHERE)),
        st.builds(nodes.Var, NAMES, st.just(NOWHERE)),
        st.builds(lambda text: nodes.Str((text,), NOWHERE), TEXTS),
        st.just(nodes.Str((), NOWHERE)),
        st.just(nodes.Path("relative", ("./a/b",), NOWHERE)),
        st.just(nodes.SearchPath("a/b", NOWHERE)),
    )


# Without what Nix prints as something else: `assert` has no parentheses, a computed name gets quotes.
def larger(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    at = st.just(NOWHERE)
    path = st.lists(ATTRIBUTES, min_size=1, max_size=3).map(tuple)
    binding = st.builds(nodes.Binding, st.tuples(ATTRIBUTES), inner, at)
    bindings = st.lists(binding, max_size=3).map(tuple)
    formal = st.builds(nodes.Formal, NAMES, st.none() | inner, at)
    formals = st.lists(formal, unique_by=lambda entry: entry.name, max_size=3).map(tuple)
    return st.one_of(
        st.builds(nodes.Apply, inner, inner, at),
        st.builds(nodes.Binary, BINARY, inner, inner, at, at),
        st.builds(nodes.Unary, st.sampled_from(["!", "-"]), inner, at),
        st.builds(nodes.Select, inner, path, st.none() | inner, at),
        st.builds(nodes.HasAttr, inner, path, at),
        st.builds(nodes.If, inner, inner, inner, at),
        st.builds(nodes.With, inner, inner, at),
        st.builds(nodes.Let, bindings, inner, at),
        st.builds(nodes.AttrSet, st.booleans(), bindings, at),
        st.builds(nodes.List, st.lists(inner, max_size=3).map(tuple), at),
        st.builds(nodes.Lambda, NAMES, at, st.none(), inner, at),
        st.builds(
            nodes.Lambda, st.none(), at, st.builds(nodes.Formals, formals, st.booleans(), at), inner, at
        ),
    )


# Hypothesis writes down the tree that a text was made of, whether it is wanted or not.
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@settings(max_examples=50, deadline=None)
@given(st.recursive(leaves(), larger, max_leaves=6).map(show))
def test_what_is_shown_parses_to_what_shows_the_same(text: str) -> None:
    assert shown(text) == text
