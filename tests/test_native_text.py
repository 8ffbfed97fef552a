"""Nothing that a program wrote is in the text that is given to Python's compiler."""

from __future__ import annotations

import io
import re
import token
import tokenize
from collections.abc import Iterator
from keyword import iskeyword
from random import Random

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aionix.native.writer import MARK
from aionix.vm import entries
from tests.fuzz.generate import program
from tests.fuzz.tiers import outcome

MARKER = "Zebra"
PROGRAMS = [
    '"Zebra"',
    '"a${"Zebra"}b"',
    "''\n  Zebra\n''",
    "/Zebra/x",
    "http://Zebra.example/",
    "let Zebra = 1; in Zebra",
    "rec { Zebra = x; x = 1; }",
    "{ Zebra.Zebra.Zebra = 1; }.Zebra.Zebra.Zebra or 2",
    '{ "Zebra" = 1; ${"Zebra" + "x"} = 2; }',
    '{ Zebra = 1; } ? ${"Zebra"}',
    "({ Zebra, Zebra1 ? 2, ... }@Zebra2: [ Zebra Zebra1 Zebra2 ]) { Zebra = 1; }",
    "({ Zebra }: Zebra) { }",
    "(Zebra: Zebra) 1",
    "let Zebra = Zebra1: throw Zebra1; in Zebra \"Zebra\"",
    "with { Zebra = 1; }; [ Zebra (Zebra + 1) ]",
    "with { }; Zebra",
    "inherit_ { inherit ({ Zebra = 1; }) Zebra; }".replace("inherit_ ", ""),
    "assert { Zebra = 1; } == { Zebra = 2; }; 1",
    "let f = Zebra: assert Zebra == \"Zebra\"; Zebra; in [ (f \"Zebra\") (f 1) ]",
    "<Zebra>",
    "[ 9.87654321 ]",
    "let f = x: x + 9.87654321; in f 1",
    "builtins.Zebra or 1",
    'builtins.tryEval (throw "Zebra")',
    '"\'); import os  # Zebra"',
    "let f = x: x.\"'\\\"\\n\\\\ Zebra\" or x; in f { }",
    'builtins.concatStringsSep "Zebra" (map (Zebra: Zebra + "Zebra") [ "Zebra" ])',
    'builtins.listToAttrs (map (Zebra: { name = "Zebra"; value = Zebra; }) [ 1 ])',
    'builtins.seq "Zebra" { Zebra = "Zebra"; }',
]  # fmt: skip
#: Names that are ours: parameters, upvalues, variables.
OURS = re.compile(r"(unit|make|enter|type|error|[uatmdnrweh]|[a-z]\d+)$")
#: What is Python's.
PYTHON = {"bool", "float", "int", "list", "str", "tuple", "isinstance", "len", "KeyError", "TypeError", "BaseException"}
#: What messages of the compiled tier itself say.
WORDS = {"'a Boolean'", "'a set'"}
#: Variables in a row. (CPython 3.11 has it for one token.)
FORMATTED = r'f"(\{[a-z]\d*\})+"'


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is compiled while the test runs."""
    seen: list[str] = []

    def noted(text: str, *arguments: object, **options: object) -> object:
        seen.append(text)
        return compile(text, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr("aionix.native.assemble.compile", noted, raising=False)
    return seen


@pytest.mark.parametrize("code", PROGRAMS)
def test_no_text_of_a_program_is_compiled(code: str, texts: list[str]) -> None:
    for shown in (code, f"(_: {code}) 1"):
        anyio.run(outcome, shown, "native", True)
    assert texts
    assert not [text for text in texts if MARKER.lower() in text.lower() or "98765" in text]


def tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(text).readline)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_its_names_and_strings_are_all_ours(texts: list[str], seed: int) -> None:
    texts.clear()
    anyio.run(outcome, str(program(Random(seed), 5)), "native", True)
    found = [(one.type, one.string) for text in texts for one in tokens(text)]
    strings = {string for kind, string in found if kind == token.STRING}
    names = {string for kind, string in found if kind == token.NAME}
    assert not [each for each in strings - WORDS if not re.fullmatch(f"'{MARK}\\d+'|{FORMATTED}", each)]
    known = {*entries.__all__, *PYTHON, "strong", "copy"}
    attributes = {match for text in texts for match in re.findall(r"\.(\w+)", text)}
    assert not [name for name in names - known - attributes if not iskeyword(name) and not OURS.match(name)]
    assert attributes <= ATTRIBUTES


#: What compiled code looks up in our own objects.
ATTRIBUTES = {
    "__func__", "__self__", "add_frame", "append", "checkpoint", "deeper", "depth", "force", "function", "get", "inside", "isascii", "keys", "leave", "leave_map", "limit", "positions",
    "run", "ticks",
}  # fmt: skip
