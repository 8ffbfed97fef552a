from types import MethodType

import pytest

from aionix.errors import NotCallable, StackOverflow
from aionix.values.attrs import AttrSet
from aionix.values.functions import Builtin, PartialApplication, call, call2
from aionix.values.thunk import Value

PAIR = Builtin("pair", 2, lambda a, b: (a, b), "")
TRIPLE = Builtin("triple", 3, lambda a, b, c: (a, b, c), "")
SELF = MethodType(lambda upvalues, this: this, ())


def test_a_builtin_waits_for_all_its_arguments() -> None:
    waiting = call(TRIPLE, 1)
    assert isinstance(waiting, PartialApplication)
    assert call2(waiting, 2, 3) == (1, 2, 3)
    assert call2(waiting, 4, 5) == (1, 4, 5)


def test_arguments_are_not_forced() -> None:
    thunk: list[object] = [lambda thunk: pytest.fail("forced"), None]
    assert call2(PAIR, thunk, thunk) == (thunk, thunk)


def test_a_set_with_a_functor_is_called_with_itself() -> None:
    functor = AttrSet(__functor=PAIR)
    result = call(functor, 1)
    assert isinstance(result, tuple)
    assert result[0] is functor and result[1] == 1


def test_a_functor_may_itself_be_a_set_with_a_functor() -> None:
    inner = AttrSet(__functor=TRIPLE)
    outer = AttrSet(__functor=inner)
    result = call(outer, 1)
    assert isinstance(result, tuple)
    assert result[0] is inner and result[1] is outer and result[2] == 1


def test_functors_that_never_come_to_a_function_overflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aionix.values.functions.MAX_FUNCTORS", 100)
    loop = AttrSet()
    loop["__functor"] = loop
    for endless in (loop, AttrSet(__functor=SELF)):
        with pytest.raises(StackOverflow):
            call(endless, 1)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1, "attempt to call something which is not a function but an integer: 1"),
        ([None, AttrSet()], "attempt to call something which is not a function but a set: { }"),
    ],
)
def test_what_is_no_function_is_not_called(value: Value, message: str) -> None:
    with pytest.raises(NotCallable) as caught:
        call(value, 1)
    assert caught.value.message == message
