from types import MethodType

import pytest

from aionix.errors import Incomparable, StackOverflow, Throw
from aionix.values import limits
from aionix.values.attrs import AttrSet
from aionix.values.equality import equal, equal_elements
from aionix.values.functions import Builtin
from aionix.values.ordering import less_than
from aionix.values.paths import Path
from aionix.values.strings import with_context
from aionix.values.thunk import Thunk, Value

FUNCTION = MethodType(lambda upvalues, x: x, ())
NAN = float("nan")


def thrown(thunk: Thunk) -> Value:
    raise Throw(str(thunk[1]))


def throws(message: str) -> Thunk:
    """A thunk whose evaluation fails."""
    return [thrown, message]


def derivation(out_path: Value, **others: Value) -> AttrSet:
    return AttrSet(type="derivation", outPath=out_path, **others)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 1.0),
        (2**53 + 1, float(2**53)),
        ("a", with_context("a", frozenset({"/nix/store/a"}))),
        (Path("/a"), Path("/a")),
        ((1, (2,)), (1.0, (2,))),
        (AttrSet(a=1, b=()), AttrSet(b=(), a=1)),
        ((FUNCTION,), (FUNCTION,)),
        ((NAN,), (NAN,)),
        (derivation("/x", a=1), derivation("/x", a=2)),
    ],
)
def test_these_are_equal(left: Value, right: Value) -> None:
    assert equal(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, True),
        (0, False),
        (0, None),
        ("/a", Path("/a")),
        ((), AttrSet()),
        ((1,), (1, 2)),
        (AttrSet(a=1), AttrSet(b=1)),
        (FUNCTION, FUNCTION),
        (NAN, NAN),
        (([None, FUNCTION],), ([None, FUNCTION],)),
        (derivation("/x"), derivation("/y")),
        (AttrSet(type="derivation", a=1), AttrSet(type="derivation", a=2)),
    ],
)
def test_these_differ(left: Value, right: Value) -> None:
    assert not equal(left, right)


def test_a_function_is_an_element_of_the_list_it_is_in() -> None:
    builtin = Builtin("f", 1, lambda x: x, "")
    assert equal_elements(builtin, builtin)
    assert not equal_elements([None, builtin], builtin)


def test_comparing_stops_at_the_first_difference() -> None:
    assert not equal((1, throws("never")), (2, throws("never")))
    assert not equal((throws("never"),), ())
    assert not equal(AttrSet(a=throws("never")), AttrSet(b=1))


def test_what_is_compared_with_itself_is_forced_all_the_same() -> None:
    shared = throws("seen")
    with pytest.raises(Throw, match="seen"):
        equal((shared,), (shared,))


def test_the_left_side_fails_first() -> None:
    with pytest.raises(Throw, match="left"):
        equal(throws("left"), throws("right"))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 2),
        (1, 1.5),
        (-0.5, 0),
        ("a", "b"),
        ("", "a"),
        ("z", "é"),
        ("\udc80", "é"),
        (Path("/a/b"), Path("/a/c")),
        ((), (1,)),
        ((1, 2), (1, 3)),
        ((AttrSet(), 1), (AttrSet(), 2)),
        (((1,), "x"), ((2,), None)),
    ],
)
def test_the_left_is_less(left: Value, right: Value) -> None:
    assert less_than(left, right)
    assert not less_than(right, left)


def test_nothing_is_less_than_nan_nor_nan_than_anything() -> None:
    assert not any([less_than(NAN, 1), less_than(1, NAN), less_than(NAN, NAN)])


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        (1, "a", "cannot compare an integer with a string"),
        (AttrSet(), AttrSet(), "cannot compare a set with a set; values of that type are incomparable"),
        (None, None, "cannot compare null with null; values of that type are incomparable"),
        ((True,), (False,), "cannot compare a Boolean with a Boolean; values of that type are incomparable"),
        ((1,), 1, "cannot compare a list with an integer"),
    ],
)
def test_what_has_no_order_is_an_error(left: Value, right: Value, message: str) -> None:
    with pytest.raises(Incomparable) as caught:
        less_than(left, right)
    assert caught.value.message == message


def test_endless_values_are_a_stack_overflow(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("equality", "ordering"):
        monkeypatch.setattr(f"aionix.values.{module}.MAX_NESTING", 100)
    left: list[object] = [None, None]
    right: list[object] = [None, None]
    left[1], right[1] = (left,), (right,)
    with pytest.raises(StackOverflow):
        equal(left, right)
    assert limits.MAX_NESTING >= 100_000
