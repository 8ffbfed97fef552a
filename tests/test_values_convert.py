from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aionix.errors import ConversionError
from aionix.values.attrs import AttrSet
from aionix.values.convert import from_python, to_python
from aionix.values.functions import Builtin
from aionix.values.numbers import INT_MAX, INT_MIN
from aionix.values.paths import Path
from aionix.values.printing import show
from aionix.values.strings import with_context

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers(INT_MIN, INT_MAX) | st.floats(allow_nan=False) | TEXT
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
ADD = Builtin("add", 2, lambda a, b: a, "")


@dataclass
class Server:
    host: str
    ports: tuple[int, ...]


class Level(IntEnum):
    HIGH = 3


@given(DATA)
def test_python_data_comes_back_as_it_was(data: object) -> None:
    assert repr(_sorted(to_python(from_python(data)))) == repr(_sorted(data))


def _sorted(data: object) -> object:
    if isinstance(data, dict):
        return {name: _sorted(data[name]) for name in sorted(data)}
    return [_sorted(item) for item in data] if isinstance(data, list) else data


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        (Server("a", (80, 443)), '{ host = "a"; ports = [ 80 443 ]; }'),
        (b"\xff", '"\udcff"'),
        ("\udcc3\udca9", '"é"'),
        (PurePosixPath("/a/../b"), "/b"),
        (Level.HIGH, "3"),
        (range(3), "[ 0 1 2 ]"),
        ([True, 1, 1.0], "[ true 1 1 ]"),
        ({"f": ADD, "p": Path("/x"), "s": AttrSet(a=1)}, "{ f = <PRIMOP>; p = /x; s = { a = 1; }; }"),
    ],
)
def test_python_objects_become_values(obj: object, text: str) -> None:
    assert show(from_python(obj)) == text


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        ({"a": {"b": [0, 0, 0, 2**63]}}, "cannot convert an integer of more than 64 bits at .a.b[3]"),
        ({"a b": object()}, "cannot convert a Python object of type 'object' to Nix at .\"a b\""),
        (len, "cannot convert a Python object of type 'builtin_function_or_method' to Nix"),
        ([{1: 2}], "an attribute name cannot be a Python 'int' at [0]"),
        (["\ud800"], "cannot convert a string with lone surrogates at [0]"),
        ({"s": "a\0"}, "cannot convert a string with a NUL byte at .s"),
        (PurePosixPath("a"), "cannot convert a path that is not absolute"),
        (Server, "cannot convert a Python object of type 'type' to Nix"),
    ],
)
def test_what_nix_has_not_is_refused_with_its_place(obj: object, message: str) -> None:
    with pytest.raises(ConversionError) as caught:
        from_python(obj)
    assert caught.value.message == message


def test_what_contains_itself_is_refused_and_what_is_shared_stays_shared() -> None:
    loop: list[object] = []
    loop.append({"again": loop})
    with pytest.raises(ConversionError, match=r"contains itself at \[0\].again"):
        from_python(loop)
    shared = [1]
    both = from_python([shared, shared])
    assert isinstance(both, tuple)
    assert both[0] is both[1]


def test_a_list_shared_a_billion_times_is_converted_once() -> None:
    data: object = [1]
    for _ in range(30):
        data = [data, data]
    assert to_python(from_python(data)) is not None


def test_depth_is_no_limit() -> None:
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]
    back = to_python(from_python(deep))
    for _ in range(100_000):
        (back,) = back  # type: ignore[misc]
    assert back == 1


def test_names_are_sorted_in_python() -> None:
    assert list(to_python(AttrSet(b=1, a=2))) == ["a", "b"]  # type: ignore[call-overload]


def test_strings_lose_their_context_and_become_bytes_where_they_are_no_text() -> None:
    text = to_python(with_context("a", frozenset({"/nix/store/a"})))
    assert (type(text), text) == (str, "a")
    assert to_python(("é", "\udcff"), strings="bytes") == ["é", b"\xff"]


def test_functions_are_refused_with_their_place_or_kept() -> None:
    value = AttrSet(a=(1, ADD))
    with pytest.raises(ConversionError, match=r"built-in function 'add' to Python at .a\[1\]"):
        to_python(value)
    assert to_python(value, functions="keep") == {"a": [1, ADD]}


def test_thunks_are_looked_through_but_never_forced() -> None:
    assert to_python(([None, 1],)) == [1]
    fails: Callable[[list[object]], object] = lambda thunk: pytest.fail("forced")  # noqa: E731
    with pytest.raises(ConversionError, match=r"not evaluated at \[0\]"):
        to_python(([fails, None],))


def test_a_derivation_is_a_set_that_contains_itself_or_its_path() -> None:
    drv = AttrSet(type="derivation", outPath="/nix/store/x")
    drv["out"] = drv
    result = to_python(drv)
    assert isinstance(result, dict) and result["out"] is result
    assert to_python((drv,), derivations="outPath") == ["/nix/store/x"]
