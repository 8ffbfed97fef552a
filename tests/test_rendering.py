"""What errors and warnings look like, as text and as data."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from aionix.errors import FileError, InfiniteRecursion, InternalError, MissingAttribute, NixError, Throw
from aionix.rendering import render, render_internal, render_warning
from aionix.source import SourceMap, Span

TEXT = "let\n  site = { port = 80; };\nin site.prot\n"


@pytest.fixture
def sources() -> SourceMap:
    return SourceMap()


def span_of(sources: SourceMap, text: str, part: str) -> Span:
    start = text.index(part)
    start_byte, length = len(text[:start].encode()), len(part.encode())
    return sources.add("/site.nix", text).span(start_byte, start_byte + length)


def misspelt(sources: SourceMap) -> MissingAttribute:
    span = span_of(sources, TEXT, "site.prot")
    return MissingAttribute("attribute 'prot' missing", span=span, hint="did you mean 'port'?")


def test_an_error_shows_its_place_its_hint_and_its_code(sources: SourceMap) -> None:
    assert render(misspelt(sources), sources=sources) == (
        "error: attribute 'prot' missing\n"
        "       at /site.nix:3:4:\n"
        "            2|   site = { port = 80; };\n"
        "            3| in site.prot\n"
        "             |    ^^^^^^^^^\n"
        "       did you mean 'port'?\n"
        "       code: E005"
    )


def test_the_way_to_an_error_comes_first_and_the_message_last(sources: SourceMap) -> None:
    error = misspelt(sources)
    error.add_frame("while evaluating the attribute 'x'", span_of(sources, "{ x = 1; }", "x = 1"))
    lines = render(error, sources=sources).split("\n")
    assert lines[:5] == [
        "error:",
        "       … while evaluating the attribute 'x'",
        "         at /site.nix:1:3:",
        "            1| { x = 1; }",
        "             |   ^^^^^",
    ]
    assert lines[6] == "       error: attribute 'prot' missing"


def test_a_place_that_the_last_step_has_shown_is_not_shown_again(sources: SourceMap) -> None:
    error = misspelt(sources)
    error.add_frame("while calling it", error.span)
    assert render(error, sources=sources).count("at /site.nix:3:4") == 1


def test_further_lines_of_a_message_are_indented() -> None:
    assert render(Throw("one\ntwo\n\nthree")) == "error: one\n       two\n\n       three\n       code: E001"


def test_a_long_way_is_cropped_in_the_middle_unless_all_is_asked_for() -> None:
    error = Throw("deep")
    for number in range(100):
        error.add_frame(f"step {number}")
    short, long = render(error), render(error, show_trace=True)
    assert "(90 steps left out; --show-trace shows them)" in short
    assert [f"step {number}" in short for number in (99, 97, 96, 7, 6, 0)] == [True, True, False, False, True, True]
    assert all(f"… step {number}\n" in long for number in range(100))


def test_a_step_that_is_taken_again_is_shown_once() -> None:
    error = Throw("deep")
    for message in ["called", *["calling"] * 30, "main"]:
        error.add_frame(message)
    assert render(error).split("\n") == [
        "error:",
        "       … main",
        "",
        "       … calling",
        "",
        "       (and again, 29 times)",
        "",
        "       … called",
        "",
        "       error: deep",
        "       code: E001",
    ]


def test_carets_stand_under_what_a_terminal_shows(sources: SourceMap) -> None:
    text = "\t日本é = wrong"
    shown = render(Throw("x", span=span_of(sources, text, "wrong")), sources=sources)
    assert "             | \t        ^^^^^" in shown.split("\n")
    assert "at /site.nix:1:13:" in shown  # bytes


def test_carets_end_with_the_line(sources: SourceMap) -> None:
    shown = render(Throw("x", span=span_of(sources, TEXT, "site = { port = 80; };\nin site")), sources=sources)
    assert "             |   ^^^^^^^^^^^^^^^^^^^^^^" in shown.split("\n")


def test_a_line_without_end_is_cropped_around_the_mistake(sources: SourceMap) -> None:
    text = "a" * 100_000 + " wrong " + "b" * 100_000
    shown = render(Throw("x", span=span_of(sources, text, "wrong")), sources=sources)
    line, carets = shown.split("\n")[2:4]
    assert len(line) < 200
    assert line[carets.index("^") : carets.rindex("^") + 1] == "wrong"


def test_the_place_after_the_end_of_the_file_can_be_shown(sources: SourceMap) -> None:
    source = sources.add("/empty.nix", "")
    assert "at /empty.nix:1:1:" in render(Throw("x", span=source.span(0, 0)), sources=sources)


def test_both_ends_of_an_infinite_recursion_are_shown(sources: SourceMap) -> None:
    error = InfiniteRecursion(None)
    source = sources.add("/loop.nix", "rec { a = b; b = a; }")
    error.span, error.first = source.span(17, 18), source.span(10, 11)
    shown = render(error, sources=sources)
    assert "at /loop.nix:1:18:" in shown
    assert "first needed at /loop.nix:1:11:" in shown


def test_control_characters_do_not_reach_the_terminal(sources: SourceMap) -> None:
    text = "wrong \x1b[31m\x9b"
    error = Throw("bad \x1b]0;title\x07\r", span=span_of(sources, text, "wrong"))
    shown = render(error, sources=sources)
    assert "error: bad ␛]0;title\n" in shown
    assert not [char for char in shown if not char.isprintable() and char != "\n"]


def test_colors_in_a_message_are_dropped() -> None:
    assert render(Throw("a \x1b[1;31mred\x1b[0m word")) == "error: a red word\n       code: E001"


def test_there_is_color_only_when_asked_for(sources: SourceMap) -> None:
    assert "\x1b" not in render(misspelt(sources), sources=sources)
    assert "\x1b[1;31merror:\x1b[0m attribute" in render(misspelt(sources), sources=sources, color=True)


def test_a_warning_looks_like_an_error(sources: SourceMap) -> None:
    shown = render_warning("unused", span_of(sources, "x: 1", "x"), code="W003", sources=sources)
    assert shown.split("\n") == [
        "warning: unused",
        "       at /site.nix:1:1:",
        "            1| x: 1",
        "             | ^",
        "       code: W003",
    ]


def test_our_own_faults_ask_for_a_report() -> None:
    assert "please report this" in render_internal(InternalError("oops"))
    assert render_internal(KeyError("k")) == "error: internal error in aionix: KeyError: 'k' (please report this)"


def test_an_error_is_data_that_json_can_say(sources: SourceMap) -> None:
    error = misspelt(sources)
    error.sources = sources
    error.add_frame("while looking")
    assert json.loads(json.dumps(error.to_dict())) == {
        "code": "E005",
        "message": "attribute 'prot' missing",
        "hint": "did you mean 'port'?",
        "span": {"file": "/site.nix", "line": 3, "column": 4, "end_line": 3, "end_column": 13},
        "frames": [{"message": "while looking", "span": None}],
    }


def test_an_error_comes_through_pickle_as_it_was(sources: SourceMap) -> None:
    sources.add("/other.nix", "x" * 100_000)
    error = misspelt(sources)
    error.sources = sources
    for number in range(20_000):  # a nested pickle of these would overflow
        error.add_frame(f"step {number}")
    data = pickle.dumps(error)
    assert len(data) < 1_000_000
    copy = pickle.loads(data)
    assert type(copy) is MissingAttribute
    assert render(copy, show_trace=True) == render(error, show_trace=True)
    assert copy.to_dict() == error.to_dict()


@pytest.mark.parametrize("error", [FileError("no", "/x"), InfiniteRecursion(object()), Throw("t"), NixError("n")])
def test_errors_of_every_shape_come_through_pickle(error: NixError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.code, copy.message, str(copy)) == (type(error), error.code, error.message, str(error))


def test_the_code_of_every_error_is_in_the_docs() -> None:
    text = (Path(__file__).parent.parent / "docs/errors.md").read_text()
    kinds = [NixError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    ours = [kind for kind in kinds if kind.__module__ == "aionix.errors"]
    missing = [k.__name__ for k in ours if f"| {k.code} |" not in text or f"`{k.__name__}`" not in text]
    assert missing == []
