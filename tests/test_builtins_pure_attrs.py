"""Attribute set builtins, called as the registry made them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aionix.builtins.attrs  # noqa: F401  # importing registers
from aionix.builtins.registry import REGISTRY
from aionix.errors import ContextError, MissingAttribute, TypeMismatch
from aionix.source import Span
from aionix.values.attrs import AttrSet, update
from aionix.values.strings import with_context

NAMES = st.text("abcé😀", max_size=2)
SETS = st.dictionaries(NAMES, st.integers()).map(AttrSet)


def nix(name: str, *arguments: object) -> object:
    return REGISTRY[name].bind(None).run(*arguments)  # type: ignore[arg-type]  # none of these is impure


def placed(**attributes: int) -> AttrSet:
    """A set whose attributes were written at the offsets that are their values."""
    result = AttrSet(attributes)
    result.positions = {name: Span(at, at + 1) for name, at in attributes.items()}
    return result


@given(SETS)
def test_names_are_sorted_by_bytes_and_values_follow(attrs: AttrSet) -> None:
    names = sorted(attrs, key=str.encode)
    assert nix("attrNames", attrs) == tuple(names)
    assert nix("attrValues", attrs) == tuple(attrs[name] for name in names)


@given(SETS, SETS)
def test_intersection_takes_names_left_and_values_right(left: AttrSet, right: AttrSet) -> None:
    expected = {name: value for name, value in right.items() if name in left}
    assert nix("intersectAttrs", left, right) == expected


@given(SETS, st.lists(NAMES))
def test_removal_leaves_the_rest_and_the_original(attrs: AttrSet, names: list[str]) -> None:
    before = dict(attrs)
    expected = {name: value for name, value in attrs.items() if name not in names}
    assert nix("removeAttrs", attrs, tuple(names)) == expected
    assert attrs == before


@given(st.lists(st.tuples(NAMES, st.integers())))
def test_of_equal_names_the_first_counts(pairs: list[tuple[str, int]]) -> None:
    items = tuple(AttrSet(name=name, value=value) for name, value in pairs)
    assert nix("listToAttrs", items) == dict(reversed(pairs))


def test_a_repeated_name_needs_no_value() -> None:
    assert nix("listToAttrs", (AttrSet(name="a", value=1), AttrSet(name="a"))) == {"a": 1}
    with pytest.raises(MissingAttribute, match=r"^attribute 'value' missing$"):
        nix("listToAttrs", (AttrSet(name="a"),))


def test_cat_attrs_skips_sets_without_the_attribute() -> None:
    assert nix("catAttrs", "a", (AttrSet(a=1), AttrSet(b=2), AttrSet(a=3))) == (1, 3)


def test_an_empty_list_of_sets_still_asks_for_a_function() -> None:
    with pytest.raises(TypeMismatch, match=r"^expected a function but found an integer: 1$"):
        nix("zipAttrsWith", 1, ())


def test_map_attrs_does_not_look_at_the_function() -> None:
    assert list(nix("mapAttrs", 1, AttrSet(a=1, b=2))) == ["a", "b"]  # type: ignore[call-overload]


@pytest.mark.parametrize(("name", "shown"), [("b", "b"), ("a b", '"a b"'), ("if", '"if"'), ("", '""')])
def test_a_missing_attribute_is_named_as_it_would_be_written(name: str, shown: str) -> None:
    with pytest.raises(MissingAttribute, match=rf"^attribute '{shown}' missing$"):
        nix("getAttr", name, AttrSet(a=1))
    assert nix("hasAttr", name, AttrSet(a=1)) is False


@pytest.mark.parametrize("name", ["getAttr", "hasAttr", "catAttrs"])
def test_a_name_may_not_depend_on_the_store(name: str) -> None:
    text = with_context("n", frozenset({"/nix/store/x-n"}))
    with pytest.raises(ContextError, match=r"such as 'x-n'"):
        nix(name, text, AttrSet())


def test_removal_and_intersection_keep_positions() -> None:
    removed = nix("removeAttrs", placed(a=1, b=2), ("b",))
    common = nix("intersectAttrs", placed(a=5), placed(a=1, b=2))
    assert isinstance(removed, AttrSet)
    assert isinstance(common, AttrSet)
    assert removed.position_of("a") == common.position_of("a") == Span(1, 2)


def test_a_removed_attribute_does_not_hide_the_place_of_another() -> None:
    removed = nix("removeAttrs", update(placed(a=1), placed(b=2)), ("a",))
    assert isinstance(removed, AttrSet)
    assert update(placed(a=7), removed).position_of("a") == Span(7, 8)


def test_list_to_attrs_points_at_the_values() -> None:
    result = nix("listToAttrs", (update(AttrSet(name="x"), placed(value=3)),))
    assert isinstance(result, AttrSet)
    assert result.position_of("x") == Span(3, 4)
