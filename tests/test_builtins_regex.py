"""`match` and `split`. Where an answer surprises, it is C++ Nix 2.26.3 that gave it."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aionix.builtins.regex import _split, compile_regex
from aionix.builtins.registry import REGISTRY
from aionix.errors import ContextError, InvalidRegex, TypeMismatch
from aionix.evaluation import EvaluationBuilder
from aionix.values.strings import context_of, from_bytes, to_bytes, with_context
from io_backends import Memory

SOURCE = frozenset({"/nix/store/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-f"})


def nix(name: str, *arguments: object) -> object:
    return REGISTRY[name].bind(None).run(*arguments)  # type: ignore[arg-type]  # none of these is impure


def match(pattern: str, text: str) -> object:
    return nix("match", pattern, text)


def split(pattern: str, text: str) -> object:
    return nix("split", pattern, text)


# Patterns that Perl's rules and POSIX's read alike, as far as `match` can tell.
_atoms = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "a|b", "ab|ba"])
patterns = st.recursive(
    _atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}"])).map(
            lambda it: f"({it[0]}){it[1]}"
        ),
        st.tuples(inner, inner).map(lambda it: f"({it[0]})({it[1]})"),
    ),
    max_leaves=4,
)
texts = st.text("abc", max_size=8)


@given(patterns, texts)
def test_match_agrees_with_python_on_what_matches(pattern: str, text: str) -> None:
    assert (match(pattern, text) is not None) == (re.fullmatch(pattern, text, re.DOTALL) is not None)


@given(patterns, texts)
def test_split_loses_nothing_between_matches(pattern: str, text: str) -> None:
    parts = split(f"({pattern})", text)
    assert isinstance(parts, tuple)
    assert "".join([part if isinstance(part, str) else part[0] for part in parts]) == text


@given(st.text("ab]}-\n.+$\\", min_size=1, max_size=3), st.text("ab]}-\n.+$\\é", max_size=12))
def test_split_by_what_was_escaped_takes_the_short_way_to_the_same(literal: str, text: str) -> None:
    regex = compile_regex(re.sub(r"([.+$\\])", r"\\\1", literal))
    assert regex.literal == literal
    assert split(re.sub(r"([.+$\\])", r"\\\1", literal), text) == _split(regex, to_bytes(text))


@given(st.sampled_from([",", "ab", "."]), st.text("ab,.", max_size=10))
def test_split_by_a_literal_is_pythons(separator: str, text: str) -> None:
    pattern = separator.replace(".", "[.]")
    parts = split(pattern, text)
    assert isinstance(parts, tuple)
    assert list(parts[::2]) == text.split(separator)
    assert set(parts[1::2]) <= {()}


@pytest.mark.parametrize(
    ("pattern", "text", "groups"),
    [
        ("a|ab", "ab", ()),
        ("(a|ab)(c|bcd)(d*)", "abcd", ("a", "bcd", "")),
        ("(x)?(y)?", "y", (None, "y")),
        ("((a)|b)*", "ab", ("b", "a")),
        ("(a*)+", "aa", ("",)),
        ("(a|b*)*", "aab", ("",)),
        ("(^a$)", "a", ("a",)),
        ("a{1}{2}", "aa", ()),
        ("(a){1500}", "a" * 1500, ("a",)),
        ("[]a]+", "]a", ()),
        ("[^]a]", "]", None),
        ("[---]", "-", ()),
        ("[[.hyphen.][.a.]-c]+", "-b", ()),
        ("[[=a=]]", "A", ()),
        ("[[:ALPHA:]][[:d:]]", "x1", ()),
        ("[\\n]+", "n\\", ()),
        ("]}", "]}", ()),
        ("a^b", "a^b", None),
        ("(|a)", "a", ("a",)),
        ("..", "é", ()),
        ("[é]+", "é", ()),
        ("[[:alpha:]]", "é", None),
    ],
)
def test_match_is_that_of_libstdcxx(pattern: str, text: str, groups: object) -> None:
    assert match(pattern, text) == groups


@pytest.mark.parametrize(
    ("pattern", "text", "parts"),
    [
        ("", "ab", ("", (), "a", (), "b", (), "")),
        ("(a*)", "ba", ("", ("",), "b", ("a",), "", ("",), "")),
        ("^a", "aa", ("", (), "a")),
        ("b|$", "ab", ("a", (), "", (), "")),
        ("a|ab", "abc", ("", (), "c")),
        ("a*(ab)?", "aab", ("", (None,), "", (None,), "b", (None,), "")),
        ("(.)", "é", ("", ("\udcc3",), "", ("\udca9",), "")),
    ],
)
def test_split_is_that_of_libstdcxx(pattern: str, text: str, parts: object) -> None:
    assert split(pattern, text) == parts


@pytest.mark.parametrize(
    "pattern",
    [
        *("(", ")", "a)", "(?:a)", "*a", "a|*b", "(*a)", "^*", "{", "a{", "a{1", "a{,2}", "a{2,1}", "a{1 }"),
        *("\\d", "\\1", "\\]", "\\}", "\\", "\\\n", "a{99999999999999999999}"),
        *("[", "[]", "[a", "[z-a]", "[a--]", "[a-z-9]", "[[:digit:]-z]", "[a-[:digit:]]", "[a-é]"),
        *("[[:foo:]]", "[[:alpha:", "[[.-.]]", "[[.foo.]]", "[[=", "[[=foo=]]"),
    ],
)
def test_what_libstdcxx_refuses_is_an_error(pattern: str) -> None:
    with pytest.raises(InvalidRegex) as caught:
        match(pattern, "")
    assert caught.value.message == f"invalid regular expression '{pattern}'"


@pytest.mark.parametrize("pattern", ["a{100001}", "((a{1000}){1000}){1000}"])
def test_patterns_are_bounded(pattern: str) -> None:
    with pytest.raises(InvalidRegex, match="memory limit exceeded by regular expression"):
        match(pattern, "")


@pytest.mark.anyio
async def test_groups_may_be_deep_but_not_endless() -> None:
    evaluation = EvaluationBuilder(Memory({})).build()
    for depth, fits in ((150, True), (5000, False)):
        opened, closed = "(" * depth, ")" * depth
        result = await evaluation.evaluate(f'builtins.match "{opened}{closed}" "" == null')
        if fits:
            assert result.unwrap().raw is False
        else:
            assert isinstance(result.errors[0], InvalidRegex)


@given(st.text("a(|)*[]^-:.={1,2}\\", max_size=12))
def test_any_pattern_is_one_or_is_refused(pattern: str) -> None:
    try:
        assert match(pattern, "a") is None or isinstance(match(pattern, "a"), tuple)
    except InvalidRegex as error:
        assert error.message.endswith(f"regular expression '{pattern}'")


def test_time_is_linear_where_backtracking_explodes() -> None:
    started = time.monotonic()
    assert match("((a*)*)*b", "a" * 20_000) is None
    assert time.monotonic() - started < 2


def test_the_pattern_is_looked_at_before_the_text() -> None:
    with pytest.raises(InvalidRegex):
        match("(", 1)  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(TypeMismatch):
        match("a", 1)  # type: ignore[arg-type]  # the point of the test


def test_patterns_have_no_context_and_results_drop_the_texts() -> None:
    text = with_context("a-b", SOURCE)
    with pytest.raises(ContextError):
        match(text, "a-b")
    groups = match("(.*)-(.*)", text)
    assert isinstance(groups, tuple)
    assert [context_of(group) for group in groups] == [frozenset(), frozenset()]


def test_texts_are_bytes() -> None:
    assert match("(.)(.*)", from_bytes(b"\xffa")) == ("\udcff", "a")
