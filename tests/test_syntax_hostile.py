"""No text makes the parser crash, hang or stop at a limit of Python's."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aionix.errors import NixError
from aionix.source import SourceMap
from aionix.syntax import parse
from aionix.syntax.pretty import show

DEPTH = 3_000  # three times Python's limit


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("(", ")"),
        ("[", "]"),
        ("{a=", ";}"),
        ("rec{a=", ";}"),
        ("let a=", "; in a"),
        ("let a=1; in ", ""),
        ("x: ", ""),
        ("{x?", "}:1"),
        ('"${', '}"'),
        ("''${", "}''"),
        ("./a${", "}"),
        ("a.${", "}"),
        ("!", ""),
        ("-", ""),
        ("a + ", ""),
        ("a + !", ""),
        ("a ++ ", ""),
        ("a -> ", ""),
        ("a ", ""),
        ("if ", " then a else b"),
        ("if a then b else ", ""),
        ("with a; ", ""),
        ("assert a; ", ""),
        ("a.b or ", ""),
        ("a or ", ""),
    ],
)
def test_nesting_is_not_limited(opening: str, closing: str) -> None:
    text = opening * DEPTH + "1" + closing * DEPTH
    assert "1" in show(parse(SourceMap().add("deep", text)))


@pytest.mark.parametrize(
    "opening", ["(", "[", "{a=", "{a?", "let a=", '"${', "''${", "./a${", "if ", "let { a="]
)
def test_unfinished_nesting_is_a_syntax_error(opening: str) -> None:
    with pytest.raises(NixError, match="syntax error, unexpected end of file"):
        parse(SourceMap().add("deep", opening * DEPTH))


@pytest.mark.parametrize(
    "unit",
    [
        "-",
        "a.",
        "a+",
        "1.",
        "a.-",
        "a..",
        "/*",
        "/",
        "/a",
        "<a",
        "<a/",
        "~/",
        "a:",
        "'",
        '"',
        '"$',
        "''",
        "'''",
        "''$",
        "$",
        "\\",
        '"\\',
        "#",
        "a'",
        "_:",
        "a,",
        "{a,",
        "a/*/",
        "0",
        "9",
        ".",
        "...",
        " ",
        "\0",
        "\r",
        '"${a}',
        "''${a}",
    ],
)
def test_time_grows_with_the_text_not_its_square(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    start = time.process_time()
    with contextlib.suppress(NixError):
        parse(SourceMap().add("long", text))
    assert time.process_time() - start < 3  # were it quadratic: minutes


@given(st.binary(max_size=80))
def test_bytes_parse_or_fail_cleanly(data: bytes) -> None:
    parse_or_point_into(data)


PIECES = (
    "a b or let in rec if then else with assert inherit 1 2.5 ./p ~/p <p> u:v "
    "${ } \" '' '' { } [ ] ( ) . , ; : ? @ = == "
    "!= < <= > >= + ++ - * / // ! && || -> ... $ \\ ' # /* */"
).split(" ")


@given(st.lists(st.sampled_from([*PIECES, " ", "\n"]), max_size=25), st.sampled_from(["", " "]))
def test_tokens_in_any_order_parse_or_fail_cleanly(pieces: list[str], separator: str) -> None:
    parse_or_point_into(separator.join(pieces).encode())


def parse_or_point_into(data: bytes) -> None:
    source = SourceMap().add("noise", data)
    try:
        span = parse(source).span
    except NixError as error:
        assert error.span is not None
        span = error.span
    assert source.base <= span.start <= span.end <= source.base + len(data)
