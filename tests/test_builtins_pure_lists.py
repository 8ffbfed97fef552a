"""List builtins, called as the registry made them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aionix.builtins.closure
import aionix.builtins.lists
import aionix.builtins.sorting  # noqa: F401  # importing registers
from aionix.builtins.loops import STRETCH
from aionix.builtins.membership import MAX_SIZE, index_of
from aionix.builtins.registry import REGISTRY
from aionix.errors import Incomparable, IndexOutOfBounds, InvalidArgument, MissingAttribute, TypeMismatch
from aionix.values.attrs import AttrSet
from aionix.values.equality import equal
from aionix.values.functions import Builtin


def nix(name: str, *arguments: object) -> object:
    return REGISTRY[name].bind(None).run(*arguments)  # type: ignore[arg-type]  # none of these is impure


def function1(body: Callable[[object], object]) -> Builtin:
    return Builtin("f", 1, body, "")


def function2(body: Callable[[object, object], object]) -> Builtin:
    return Builtin("f", 2, body, "")


BEFORE = function2(lambda a, b: a < b)  # type: ignore[operator]
LESS_THAN = Builtin("lessThan", 2, lambda a, b: a < b, "")


@given(st.lists(st.tuples(st.integers(0, 5), st.integers())))
def test_sort_is_stable(pairs: list[tuple[int, int]]) -> None:
    by_first = function2(lambda a, b: a[0] < b[0])  # type: ignore[index]
    assert nix("sort", by_first, tuple(pairs)) == tuple(sorted(pairs, key=lambda pair: pair[0]))


@given(st.lists(st.integers(0, 3)))
def test_sort_by_less_or_equal_turns_equal_elements_round(keys: list[int]) -> None:
    pairs = tuple(enumerate(keys))
    not_after = function2(lambda a, b: a[1] <= b[1])  # type: ignore[index]
    expected = tuple(sorted(pairs, key=lambda pair: (pair[1], -pair[0])))
    assert nix("sort", not_after, pairs) == expected


@given(st.lists(st.integers()) | st.lists(st.integers() | st.floats(allow_nan=False)))
def test_sort_by_value_agrees_with_sort_by_comparator(values: list[float]) -> None:
    assert nix("sort", LESS_THAN, tuple(values)) == nix("sort", BEFORE, tuple(values))


@given(st.lists(st.text()))
def test_strings_sort_by_their_bytes(texts: list[str]) -> None:
    assert nix("sort", LESS_THAN, tuple(texts)) == tuple(sorted(texts, key=str.encode))


def test_values_of_two_kinds_cannot_be_sorted() -> None:
    with pytest.raises(Incomparable, match=r"^cannot compare a string with an integer$"):
        nix("sort", LESS_THAN, (1, "a"))


def test_a_list_of_one_is_sorted_whatever_it_holds() -> None:
    assert nix("sort", LESS_THAN, (AttrSet(),)) == (AttrSet(),)


def test_the_comparator_must_answer_with_a_boolean() -> None:
    with pytest.raises(TypeMismatch, match=r"^expected a Boolean but found an integer: 1$"):
        nix("sort", function2(lambda a, b: 1), (1, 2))


@pytest.mark.parametrize("name", ["map", "filter", "sort"])
def test_an_empty_list_asks_for_no_function(name: str) -> None:
    assert nix(name, 1, ()) == ()


@pytest.mark.parametrize("name", ["concatMap", "all", "any", "groupBy", "partition"])
def test_a_function_is_asked_for_before_the_list(name: str) -> None:
    with pytest.raises(TypeMismatch, match=r"^expected a function but found an integer: 1$"):
        nix(name, 1, 2)


@pytest.mark.parametrize(("name", "value"), [("map", 2), ("filter", 2), ("sort", 2), ("elem", 2)])
def test_the_list_is_asked_for_first(name: str, value: object) -> None:
    with pytest.raises(TypeMismatch, match=r"^expected a list but found an integer: 2$"):
        nix(name, 1, value)


@given(st.lists(st.integers()))
def test_filter_and_partition_divide_a_list(values: list[int]) -> None:
    odd = function1(lambda n: n % 2 == 1)  # type: ignore[operator]
    right = tuple(n for n in values if n % 2 == 1)
    wrong = tuple(n for n in values if n % 2 == 0)
    assert nix("filter", odd, tuple(values)) == right
    assert nix("partition", odd, tuple(values)) == {"right": right, "wrong": wrong}


def test_a_filter_that_keeps_everything_gives_the_list_itself() -> None:
    values = (1, 2, 3)
    assert nix("filter", function1(lambda _: True), values) is values


def test_all_and_any_stop_early() -> None:
    seen: list[object] = []

    def noted(value: object) -> object:
        seen.append(value)
        return value

    assert nix("all", function1(noted), (True, False, True)) is False
    assert nix("any", function1(noted), (False, True, True)) is True
    assert seen == [True, False, False, True]


@pytest.mark.parametrize(("name", "answer"), [("all", True), ("any", False)])
def test_an_empty_list_answers_without_a_call(name: str, answer: bool) -> None:
    assert nix(name, function1(lambda _: 1), ()) is answer


def test_foldl_goes_from_the_left() -> None:
    joined = function2(lambda a, b: f"({a}{b})")
    assert nix("foldl'", joined, "z", ("a", "b", "c")) == "(((za)b)c)"


@given(st.lists(st.lists(st.integers())))
def test_concatenations_keep_the_order(lists: list[list[int]]) -> None:
    flat = tuple(number for numbers in lists for number in numbers)
    tuples = tuple(map(tuple, lists))
    assert nix("concatLists", tuples) == flat
    assert nix("concatMap", function1(lambda x: x), tuples) == flat


def test_long_lists_are_walked_to_their_end() -> None:
    values = tuple(range(3 * STRETCH + 1))
    assert nix("filter", function1(lambda n: n % STRETCH == 0), values) == (  # type: ignore[operator]
        0,
        STRETCH,
        2 * STRETCH,
        3 * STRETCH,
    )
    assert len(nix("map", BEFORE, values)) == len(values)  # type: ignore[arg-type]


def test_groups_keep_the_order_of_the_list() -> None:
    size = function1(lambda n: "big" if n > 2 else "small")  # type: ignore[operator]
    assert nix("groupBy", size, (1, 5, 2, 4, 3)) == {"small": (1, 2), "big": (5, 4, 3)}


@pytest.mark.parametrize("index", [-1, 2, 2**63 - 1])
def test_elem_at_names_the_index_and_the_size(index: int) -> None:
    message = rf"^'builtins.elemAt' called with index {index} on a list of size 2$"
    with pytest.raises(IndexOutOfBounds, match=message):
        nix("elemAt", (1, 2), index)


@pytest.mark.parametrize("name", ["head", "tail"])
def test_an_empty_list_has_neither_head_nor_tail(name: str) -> None:
    with pytest.raises(IndexOutOfBounds, match=rf"^'builtins.{name}' called on an empty list$"):
        nix(name, ())


@pytest.mark.parametrize("count", [-1, 10**12, 2**63 - 1])
def test_gen_list_refuses_a_size_that_cannot_be(count: int) -> None:
    with pytest.raises(InvalidArgument, match=rf"^cannot create list of size {count}$"):
        nix("genList", BEFORE, count)


@given(
    st.lists(st.integers(0, 9) | st.sampled_from(["a", "b", 1.0, True, None]), min_size=1, max_size=20)
    | st.lists(st.integers(0, 40), min_size=6, max_size=20)
    | st.lists(st.sampled_from("abcdefgh"), min_size=6, max_size=20),
    st.lists(st.integers(0, 9) | st.sampled_from(["a", "z", 1.0, True, None]), min_size=3, max_size=6),
    st.booleans(),
)
def test_elem_answers_the_same_however_often_it_is_asked(
    elements: list[object], wanted: list[object], lazy: bool
) -> None:
    values = tuple([[None, element] if lazy else element for element in elements])
    for value in wanted * 2:
        assert nix("elem", value, values) is any([equal(value, element) for element in elements])


def test_elem_does_not_look_behind_what_it_finds() -> None:
    def fail(thunk: object) -> object:
        raise InvalidArgument("looked at")

    values = (*range(20), [fail, None])
    for _ in range(5):
        assert nix("elem", 3, values) is True
        with pytest.raises(InvalidArgument):
            nix("elem", 99, values)


def test_a_long_list_is_not_kept() -> None:
    for size in (MAX_SIZE, MAX_SIZE + 1):
        values = tuple(range(size))
        assert [nix("elem", -1, values) for _ in range(3)] == [False] * 3
        assert (index_of(values) is not None) == (size == MAX_SIZE)


def test_elem_compares_as_the_language_does() -> None:
    assert nix("elem", 1, (True, 1.0)) is True
    assert nix("elem", 1, (True, "1")) is False


def closure(start: list[object], step: Callable[[object], object]) -> object:
    items = tuple(AttrSet(key=key) for key in start)
    found = nix("genericClosure", AttrSet(startSet=items, operator=function1(step)))
    return [item["key"] for item in found]  # type: ignore[attr-defined]


def test_the_closure_is_found_breadth_first_each_key_once() -> None:
    def next_keys(item: object) -> object:
        key = item["key"]  # type: ignore[index]
        return (AttrSet(key=key + 1), AttrSet(key=key * 2)) if key <= 4 else ()

    assert closure([1], next_keys) == [1, 2, 3, 4, 6, 5, 8]


KEYS = st.lists(st.integers(0, 5) | st.sampled_from([0.5, 1.0, 5.0]))


@given(KEYS | KEYS.map(lambda keys: [(key,) for key in keys]))
def test_keys_are_the_same_when_neither_is_less(keys: list[object]) -> None:
    assert closure(keys, lambda _: ()) == list(dict.fromkeys(keys))


def test_keys_that_cannot_be_compared_are_an_error() -> None:
    with pytest.raises(Incomparable, match=r"^cannot compare a string with an integer$"):
        closure([1, "a"], lambda _: ())
    with pytest.raises(Incomparable, match=r"^cannot compare null with null; values of that type are incomp"):
        closure([None, None], lambda _: ())
    assert closure([None], lambda _: ()) == [None]


def test_a_closure_needs_its_attributes() -> None:
    for arguments, name in [
        (AttrSet(), "startSet"),
        (AttrSet(startSet=(AttrSet(),)), "operator"),
        (AttrSet(startSet=(AttrSet(),), operator=BEFORE), "key"),
    ]:
        with pytest.raises(MissingAttribute, match=rf"^attribute '{name}' missing$"):
            nix("genericClosure", arguments)
    assert nix("genericClosure", AttrSet(startSet=())) == ()
