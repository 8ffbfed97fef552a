"""Laws of strings, sets, equality and order, over values made at random."""

from hypothesis import given
from hypothesis import strategies as st

from aionix.values import strings
from aionix.values.attrs import AttrSet, sorted_names, update
from aionix.values.equality import equal
from aionix.values.numbers import INT_MAX, INT_MIN
from aionix.values.ordering import less_than
from aionix.values.paths import Path
from aionix.values.strings import from_bytes, join, length, normal, to_bytes

BYTES = st.binary(max_size=6)
STRINGS = BYTES.map(from_bytes)
# Few different ones, so that equal pairs are common.
NAMES = st.sampled_from(["a", "b", "type", "é", "\udc80"])
SMALL = st.integers(-2, 2) | st.sampled_from([0.0, -0.0, 1.0, 1.5, -2.0])
SCALARS = SMALL | st.none() | st.booleans() | NAMES | NAMES.map(lambda name: Path(f"/{name}"))
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple) | st.dictionaries(NAMES, inner, max_size=3).map(AttrSet)
    ),
    max_leaves=6,
)
SETS = st.dictionaries(NAMES, SMALL, max_size=4).map(AttrSet)
NUMBER_LISTS = st.lists(SMALL, max_size=4).map(tuple)
INTEGERS = st.integers(INT_MIN, INT_MAX)


@given(VALUES)
def test_equality_is_reflexive(value: object) -> None:
    assert equal(value, value)


@given(VALUES, VALUES)
def test_equality_is_symmetric(left: object, right: object) -> None:
    assert equal(left, right) == equal(right, left)


@given(VALUES, VALUES, VALUES)
def test_equality_is_transitive(first: object, second: object, third: object) -> None:
    if equal(first, second) and equal(second, third):
        assert equal(first, third)


@given(NUMBER_LISTS | SMALL.map(lambda number: (number,)), NUMBER_LISTS)
def test_of_less_equal_and_greater_one_holds(left: object, right: object) -> None:
    assert [less_than(left, right), equal(left, right), less_than(right, left)].count(True) == 1


@given(NUMBER_LISTS, NUMBER_LISTS, NUMBER_LISTS)
def test_order_is_transitive(first: object, second: object, third: object) -> None:
    if less_than(first, second) and less_than(second, third):
        assert less_than(first, third)


@given(STRINGS, STRINGS)
def test_strings_are_ordered_by_their_bytes(left: str, right: str) -> None:
    assert less_than(left, right) == (to_bytes(left) < to_bytes(right))


@given(INTEGERS, INTEGERS)
def test_large_integers_are_compared_exactly(left: int, right: int) -> None:
    assert less_than(left, right) == (left < right)
    assert equal(left, right) == (left == right)


@given(SETS, SETS, SETS)
def test_update_is_associative(first: AttrSet, second: AttrSet, third: AttrSet) -> None:
    assert update(update(first, second), third) == update(first, update(second, third))


@given(SETS)
def test_the_empty_set_changes_nothing(attrs: AttrSet) -> None:
    assert update(AttrSet(), attrs) == attrs == update(attrs, AttrSet())


@given(SETS, SETS)
def test_update_prefers_the_right(left: AttrSet, right: AttrSet) -> None:
    result = update(left, right)
    assert result.keys() == left.keys() | right.keys()
    assert all([result[name] is right[name] for name in right])


@given(st.lists(STRINGS, max_size=5))
def test_names_are_in_the_order_of_their_bytes(names: list[str]) -> None:
    assert [to_bytes(name) for name in sorted_names(names)] == sorted(map(to_bytes, names))


@given(BYTES)
def test_every_byte_string_is_a_string_of_that_length(data: bytes) -> None:
    text = from_bytes(data)
    assert to_bytes(text) == data
    assert length(text) == len(data)


@given(st.lists(BYTES, max_size=4))
def test_joining_strings_joins_their_bytes(parts: list[bytes]) -> None:
    assert join([from_bytes(part) for part in parts]) == from_bytes(b"".join(parts))


@given(BYTES, st.integers(0, 6))
def test_a_string_cut_anywhere_is_whole_again_when_joined(data: bytes, at: int) -> None:
    assert join((from_bytes(data[:at]), from_bytes(data[at:]))) == from_bytes(data)


@given(STRINGS, STRINGS)
def test_a_string_has_one_spelling(left: str, right: str) -> None:
    spelled = normal(left + right)
    assert spelled == normal(spelled) == from_bytes(to_bytes(left + right))


@given(STRINGS, STRINGS)
def test_less_is_a_strict_order_of_strings(left: str, right: str) -> None:
    assert [strings.less(left, right), left == right, strings.less(right, left)].count(True) == 1
