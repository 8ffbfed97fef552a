import pytest

from aionix.errors import StackOverflow, Throw
from aionix.source import Span
from aionix.values.attrs import AttrSet
from aionix.values.deep import force_deep
from aionix.values.thunk import Thunk, Value


def computes(value: Value) -> Thunk:
    """A thunk for `value` that has not been asked yet."""

    def entry(thunk: Thunk) -> Value:
        thunk[0], thunk[1] = None, value
        return value

    return [entry, None]


def thrown(thunk: Thunk) -> Value:
    raise Throw(str(thunk[1]))


def test_everything_inside_is_evaluated() -> None:
    leaves = [computes(n) for n in range(3)]
    result = force_deep(computes((AttrSet(a=leaves[0]), computes((leaves[1],)), leaves[2])))
    assert isinstance(result, tuple)
    assert [leaf[1] for leaf in leaves] == [0, 1, 2]


def test_what_contains_itself_is_walked_once() -> None:
    loop = AttrSet()
    loop["self"] = computes(loop)
    loop["list"] = (loop, loop)
    assert force_deep(loop) is loop


def test_elements_are_taken_in_order() -> None:
    with pytest.raises(Throw, match="first"):
        force_deep((1, (2, [thrown, "first"]), [thrown, "second"]))


def test_a_failure_says_on_which_way_it_was_met() -> None:
    inner = AttrSet(b=[thrown, "x"])
    inner.positions = {"b": Span(3, 4)}
    with pytest.raises(Throw) as caught:
        force_deep(AttrSet(a=(1, inner)))
    steps = [(frame.message, frame.span) for frame in caught.value.frames]
    assert steps == [
        ("while evaluating the attribute 'b'", Span(3, 4)),
        ("while evaluating the attribute 'a'", None),
    ]


def test_a_hundred_thousand_levels_are_fine_and_endless_ones_an_error() -> None:
    value: Value = 1
    for _ in range(100_000):
        value = (value,)
    assert force_deep(value) is value

    def grow(thunk: Thunk) -> Value:
        return ([grow, None],)

    with pytest.raises(StackOverflow):
        force_deep([grow, None])
