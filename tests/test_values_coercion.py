from types import MethodType

import pytest

from aionix.errors import NotAnAbsolutePath, NotCoercible, StackOverflow
from aionix.values.attrs import AttrSet
from aionix.values.coercion import coerce_to_path, coerce_to_string
from aionix.values.paths import Path
from aionix.values.strings import context_of, with_context
from aionix.values.thunk import Value

IDENTITY = MethodType(lambda upvalues, this: this, ())


def returns(value: Value) -> MethodType:
    return MethodType(lambda upvalues, this: value, ())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (None, ""),
        (False, ""),
        (True, "1"),
        (-7, "-7"),
        (1.5, "1.500000"),
        (Path("/a"), "/a"),
        ((), ""),
        ((1, "b", None, True), "1 b  1"),
        (((), "a"), "a"),
        (("a", ()), "a "),
        ((((),), "a"), " a"),
        (((1, 2), (3,)), "1 2 3"),
        (([None, ("a",)], "b"), "a b"),
        (AttrSet(outPath=5), "5"),
        (AttrSet(__toString=returns("s"), outPath="o"), "s"),
        (AttrSet(outPath=AttrSet(__toString=returns((1, 2)))), "1 2"),
    ],
)
def test_to_string_takes_nearly_everything(value: Value, text: str) -> None:
    assert coerce_to_string(value, strong=True, copy=False) == text


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1, "cannot coerce an integer to a string: 1"),
        (True, "cannot coerce a Boolean to a string: true"),
        ((1,), "cannot coerce a list to a string: [ 1 ]"),
        (AttrSet(a=1), "cannot coerce a set to a string: { a = 1; }"),
        (AttrSet(outPath=None), "cannot coerce null to a string: null"),
        (IDENTITY, "cannot coerce a function to a string: «lambda»"),
    ],
)
def test_interpolation_takes_strings_and_what_stands_for_them(value: Value, message: str) -> None:
    with pytest.raises(NotCoercible) as caught:
        coerce_to_string(value)
    assert caught.value.message == message


def test_contexts_of_all_elements_are_united() -> None:
    parts = tuple([with_context(name, frozenset({name})) for name in ("a", "b")])
    assert context_of(coerce_to_string((parts, "c"), strong=True)) == {"a", "b"}


def test_endless_stand_ins_are_a_stack_overflow() -> None:
    loop = AttrSet()
    loop["outPath"] = loop
    for endless in (loop, AttrSet(__toString=IDENTITY)):
        with pytest.raises(StackOverflow):
            coerce_to_string(endless)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Path("/a/b"), "/a/b"),
        ("/a//b/../c/", "/a/c"),
        (AttrSet(outPath="/x"), "/x"),
        (AttrSet(__toString=returns(Path("/p"))), "/p"),
    ],
)
def test_paths_are_absolute_and_clean(value: Value, text: str) -> None:
    assert coerce_to_path(value) == text


@pytest.mark.parametrize("text", ["", "a", "./a", "~/a"])
def test_relative_paths_are_refused(text: str) -> None:
    with pytest.raises(NotAnAbsolutePath) as caught:
        coerce_to_path(text)
    assert caught.value.message == f"string '{text}' doesn't represent an absolute path"
