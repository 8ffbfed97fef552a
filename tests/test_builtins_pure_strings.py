"""String, version and context builtins, called as the registry made them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aionix.builtins.context
import aionix.builtins.strings
import aionix.builtins.versions  # noqa: F401  # importing registers
from aionix.builtins.context import append_to_context
from aionix.builtins.registry import REGISTRY
from aionix.errors import ContextError, IndexOutOfBounds, InvalidArgument, NotCoercible, TypeMismatch
from aionix.values.attrs import AttrSet
from aionix.values.paths import Path
from aionix.values.strings import Context, context_of, from_bytes, with_context

BYTES = st.lists(st.sampled_from([b"a", b"b", b"\xc3", b"\xa9", b"\xc3\xa9"]), max_size=8).map(b"".join)
STORE = "/nix/store/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
FILE = frozenset({f"{STORE}-f"})
OTHER = frozenset({f"{STORE}-g"})


def nix(name: str, *arguments: object) -> object:
    return REGISTRY[name].bind(None).run(*arguments)  # type: ignore[arg-type]  # none of these is impure


def context(value: object) -> Context:
    assert isinstance(value, str)
    return context_of(value)


@given(BYTES, st.integers(0, 10), st.integers(-2, 10))
def test_substring_counts_bytes(data: bytes, start: int, length: int) -> None:
    expected = data[start:] if length < 0 else data[start : start + length]
    assert nix("substring", start, length, from_bytes(data)) == from_bytes(expected)


@given(BYTES)
def test_length_counts_bytes(data: bytes) -> None:
    assert nix("stringLength", from_bytes(data)) == len(data)


def test_a_negative_start_is_an_error_before_all_else() -> None:
    with pytest.raises(IndexOutOfBounds, match=r"^negative start position in 'substring'$"):
        nix("substring", -1, "x", 1)


def test_an_empty_substring_keeps_the_context() -> None:
    assert context(nix("substring", 0, 0, with_context("abc", FILE))) == FILE


def test_a_far_start_gives_nothing() -> None:
    assert nix("substring", 2**63 - 1, 2**63 - 1, "hello") == ""


@given(st.binary(max_size=3), st.lists(BYTES))
def test_concatenation_joins_bytes(separator: bytes, parts: list[bytes]) -> None:
    texts = tuple(map(from_bytes, parts))
    assert nix("concatStringsSep", from_bytes(separator), texts) == from_bytes(separator.join(parts))


def test_concatenation_unites_contexts_even_of_an_unused_separator() -> None:
    separator, part = with_context(",", FILE), with_context("a", OTHER)
    assert context(nix("concatStringsSep", separator, (part,))) == FILE | OTHER


def replaced(old: list[bytes], new: list[bytes], data: bytes) -> bytes:
    """What `replaceStrings` means, said byte by byte."""
    result, at = b"", 0
    while at <= len(data):
        for pattern, by in zip(old, new, strict=True):
            if data.startswith(pattern, at):
                result += by
                break
        else:
            pattern = b""
        if not pattern:
            result += data[at : at + 1]
        at += len(pattern) or 1
    return result


@given(st.lists(st.tuples(BYTES, BYTES), max_size=4), BYTES)
def test_replacement_goes_by_bytes_from_the_left_first_pattern_first(
    pairs: list[tuple[bytes, bytes]], data: bytes
) -> None:
    old, new = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    answer = nix("replaceStrings", tuple(map(from_bytes, old)), tuple(map(from_bytes, new)), from_bytes(data))
    assert answer == from_bytes(replaced(old, new, data))


def test_a_replacement_that_is_not_needed_is_not_looked_at() -> None:
    text = with_context("axb", FILE)
    assert context(nix("replaceStrings", ("q",), (1,), text)) == FILE
    with pytest.raises(TypeMismatch, match=r"^expected a string but found an integer: 1$"):
        nix("replaceStrings", ("x",), (1,), text)


def test_a_replacement_brings_its_context() -> None:
    assert context(nix("replaceStrings", ("x",), (with_context("y", OTHER),), "axb")) == OTHER


def test_each_string_needs_its_replacement() -> None:
    with pytest.raises(InvalidArgument, match=r"have different lengths$"):
        nix("replaceStrings", ("a",), (), "abc")


def test_characters_with_a_meaning_in_patterns_are_ordinary() -> None:
    old, new = tuple("^]-\\[.*"), tuple("1234567")
    assert nix("replaceStrings", old, new, "a^]-\\[.*z") == "a1234567z"


@pytest.mark.parametrize(
    ("path", "base", "directory"),
    [
        ("a/b", "b", "a"),
        ("a/b/", "b", "a/b"),
        ("a/b//", "", "a/b"),
        ("a//b", "b", "a"),
        ("a", "a", "."),
        ("", "", "."),
        ("/", "", "/"),
        ("//", "", "//"),
        ("/a", "a", "/"),
        ("//a/b", "b", "//a"),
    ],
)
def test_base_and_directory_of_a_string(path: str, base: str, directory: str) -> None:
    assert nix("baseNameOf", path) == base
    assert nix("dirOf", path) == directory


@pytest.mark.parametrize(
    ("path", "base", "directory"), [("/a/b", "b", "/a"), ("/a", "a", "/"), ("/", "", "/")]
)
def test_the_directory_of_a_path_is_a_path(path: str, base: str, directory: str) -> None:
    answer = nix("dirOf", Path(path))
    assert isinstance(answer, Path)
    assert answer.text == directory
    assert nix("baseNameOf", Path(path)) == base


def test_parts_of_a_path_keep_its_context() -> None:
    text = with_context("a/b", FILE)
    assert context(nix("baseNameOf", text)) == context(nix("dirOf", text)) == FILE


def test_a_number_has_no_base_name() -> None:
    with pytest.raises(NotCoercible, match=r"^cannot coerce an integer to a string: 1$"):
        nix("baseNameOf", 1)


VERSIONS = st.text("019.-ae", max_size=6) | st.sampled_from(["pre", "1pre", "1.pre", "2147483648"])


def test_versions_have_an_order() -> None:
    in_order = ["pre", "", "2147483648", "a", "1pre", "1.pre2", "1", "1.a", "1.b", "1.1", "1.2", "1.10"]
    for older, newer in pairwise(in_order):
        assert nix("compareVersions", older, newer) == -1, (older, newer)


@given(VERSIONS, VERSIONS, VERSIONS)
def test_the_order_of_versions_is_one(a: str, b: str, c: str) -> None:
    def compared(left: str, right: str) -> object:
        return nix("compareVersions", left, right)

    assert compared(a, a) == 0
    assert compared(a, b) == -compared(b, a)  # type: ignore[operator]
    if compared(a, b) == compared(b, c):
        assert compared(a, c) == compared(a, b)


def test_zeros_in_front_and_separators_do_not_count() -> None:
    assert nix("compareVersions", "1.007", "1-7") == 0
    assert nix("compareVersions", "1." + "0" * 9999 + "7", "1.7.") == 0


def test_a_version_is_cut_at_dots_dashes_and_digits() -> None:
    assert nix("splitVersion", "..1.2.3pre4-x_y--é²5") == ("1", "2", "3", "pre", "4", "x_y", "é²", "5")


@pytest.mark.parametrize(
    ("text", "name", "version"),
    [
        ("nix-0.12pre12876", "nix", "0.12pre12876"),
        ("a-b-1.2-3-x", "a-b", "1.2-3-x"),
        ("a--1", "a", "-1"),
        ("hello", "hello", ""),
        ("x-", "x-", ""),
        ("a-é", "a", "é"),
    ],
)
def test_a_version_follows_the_first_dash_without_a_letter(text: str, name: str, version: str) -> None:
    assert nix("parseDrvName", text) == {"name": name, "version": version}


EVERYTHING = frozenset({f"{STORE}-a", f"={STORE}-b.drv", f"{STORE}-b.drv", f"!out!{STORE}-b.drv"})


def test_a_context_is_shown_by_path() -> None:
    text = with_context("x", EVERYTHING | {f"!dev!{STORE}-b.drv"})
    assert nix("getContext", text) == {
        f"{STORE}-a": {"path": True},
        f"{STORE}-b.drv": {"path": True, "allOutputs": True, "outputs": ("dev", "out")},
    }


ELEMENTS = st.sampled_from([*sorted(EVERYTHING), f"!dev!{STORE}-c.drv", f"={STORE}-c.drv"])


@given(st.frozensets(ELEMENTS))
def test_what_get_context_says_can_be_appended(elements: Context) -> None:
    said = nix("getContext", with_context("x", elements))
    assert isinstance(said, AttrSet)
    assert append_to_context(frozenset(), said, "/nix/store") == elements


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("foo", "foo"),
        ("", '""'),
        ("/nix/store/foo", '"/nix/store/foo"'),
        (f"{STORE}", f'"{STORE}"'),
        (f"{STORE}-", f'"{STORE}-"'),
        (f"{STORE}-..", f'"{STORE}-.."'),
        (f"{STORE}-.-a", f'"{STORE}-.-a"'),
        (f"{STORE}-n/a", f'"{STORE}-n/a"'),
        (f"{STORE}-n!a", f'"{STORE}-n!a"'),
        (f"/nix/store/e{STORE[12:]}-n", f'"/nix/store/e{STORE[12:]}-n"'),
        (f"{STORE}-{'n' * 212}", f'"{STORE}-{"n" * 212}"'),
    ],
)
def test_only_store_paths_can_be_appended(key: str, shown: str) -> None:
    with pytest.raises(ContextError) as caught:
        append_to_context(frozenset(), AttrSet({key: AttrSet()}), "/nix/store")
    assert caught.value.message == f"context key '{shown}' is not a store path"


@pytest.mark.parametrize("key", [f"{STORE}-.n", f"{STORE}-n/", f"{STORE}-{'n' * 211}"])
def test_store_paths_can_be_appended_however_they_are_spelt(key: str) -> None:
    appended = append_to_context(frozenset(), AttrSet({key: AttrSet(path=True)}), "/nix/store")
    assert appended == {key.rstrip("/")}


@pytest.mark.parametrize(
    ("wanted", "what"),
    [
        (AttrSet(allOutputs=True), "all-outputs context"),
        (AttrSet(outputs=("o",)), "derivation output context"),
    ],
)
def test_outputs_are_a_derivations(wanted: AttrSet, what: str) -> None:
    with pytest.raises(
        ContextError, match=rf'^tried to add {what} of "{STORE}-n", which is not a derivation'
    ):
        append_to_context(frozenset(), AttrSet({f"{STORE}-n": wanted}), "/nix/store")


def test_discarding_a_context() -> None:
    text = with_context("x", frozenset({f"={STORE}-n.drv", f"!out!{STORE}-n.drv"}))
    assert nix("hasContext", text) is True
    assert nix("hasContext", nix("unsafeDiscardStringContext", text)) is False
    assert context(nix("unsafeDiscardOutputDependency", text)) == {f"{STORE}-n.drv", f"!out!{STORE}-n.drv"}


@pytest.mark.parametrize("mark", ["", "="])
def test_a_derivation_gets_its_outputs(mark: str) -> None:
    text = with_context("x", frozenset({f"{mark}{STORE}-n.drv"}))
    assert context(nix("addDrvOutputDependencies", text)) == {f"={STORE}-n.drv"}


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ([], "context of string 'x' must have exactly one element, but has 0"),
        ([f"{STORE}-a", f"{STORE}-b"], "context of string 'x' must have exactly one element, but has 2"),
        ([f"{STORE}-a"], f"path '{STORE}-a' is not a derivation"),
        (
            [f"!out!{STORE}-a.drv"],
            "`addDrvOutputDependencies` can only act on derivations, not on a derivation output such as "
            "'out'",
        ),
    ],
)
def test_only_one_derivation_gets_its_outputs(elements: list[str], message: str) -> None:
    with pytest.raises(ContextError) as caught:
        nix("addDrvOutputDependencies", with_context("x", frozenset(elements)))
    assert caught.value.message == message
