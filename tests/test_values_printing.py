from types import MethodType

import pytest

from aionix.bytecode.chunk import Chunk, Lambda
from aionix.source import Span
from aionix.values.attrs import AttrSet
from aionix.values.functions import Builtin, PartialApplication
from aionix.values.kinds import kind_of, type_error, type_of
from aionix.values.paths import Path
from aionix.values.printing import brief, show
from aionix.values.strings import with_context
from aionix.values.thunk import blackhole

ADD = Builtin("add", 2, lambda a, b: a, "")
SUSPENDED: list[object] = [lambda thunk: 1, None]
BEING_FORCED: list[object] = [blackhole, None]


def closure(name: str | None = None) -> MethodType:
    def body(upvalues: object, argument: object) -> object:
        return argument

    body.code = Lambda(Chunk(), "function", name, "x", None, 0, False, Span(7, 9))  # type: ignore[attr-defined]
    return MethodType(body, ())


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = (value,)
    return value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (1.0, "1"),
        (Path("/a b"), "/a b"),
        ('a"b\\c\n\r\t', '"a\\"b\\\\c\\n\\r\\t"'),
        ("$x ${y} $${z}", '"$x \\${y} $\\${z}"'),
        ("\udcff", '"\udcff"'),
        (with_context("/nix/store/x", frozenset({"/nix/store/x"})), '"/nix/store/x"'),
        ((), "[ ]"),
        ((1, (2, ())), "[ 1 [ 2 [ ] ] ]"),
        (AttrSet(), "{ }"),
        (AttrSet(b=1, a=AttrSet(c="d")), '{ a = { c = "d"; }; b = 1; }'),
        (SUSPENDED, "<CODE>"),
        ([None, 5], "5"),
        (BEING_FORCED, "«potential infinite recursion»"),
        (closure("f"), "<LAMBDA>"),
        (ADD, "<PRIMOP>"),
        (PartialApplication(ADD, (1,)), "<PRIMOP-APP>"),
    ],
)
def test_results_are_printed_as_nix_prints_them(value: object, text: str) -> None:
    assert show(value) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a", "a"),
        ("_a'-9", "_a'-9"),
        ("or", "or"),
        ("if", '"if"'),
        ("inherit", '"inherit"'),
        ("", '""'),
        ("9a", '"9a"'),
        ("a b", '"a b"'),
        ("a\n", '"a\\n"'),
        ("é", '"é"'),
    ],
)
def test_names_are_quoted_where_the_grammar_needs_it(name: str, text: str) -> None:
    assert show(AttrSet({name: 1})) == f"{{ {text} = 1; }}"


def test_names_are_sorted_by_their_bytes() -> None:
    names = {"é": 1, "\udc80": 2, "z": 3, "Z": 4}
    assert show(AttrSet(names)) == '{ Z = 4; z = 3; "\udc80" = 2; "é" = 1; }'


def test_a_set_that_was_printed_is_repeated() -> None:
    shared = AttrSet(a=1)
    assert show((shared, shared, AttrSet(a=1))) == "[ { a = 1; } «repeated» { a = 1; } ]"


def test_empty_lists_and_sets_are_never_repeated() -> None:
    assert show(((), (), *[AttrSet()] * 2)) == "[ [ ] [ ] { } { } ]"


def test_a_short_list_is_repeated_only_in_the_same_thunk() -> None:
    short, long = (1, 2), (1, 2, 3)
    thunk: list[object] = [None, short]
    assert show((thunk, thunk)) == "[ [ 1 2 ] «repeated» ]"
    assert show(([None, short], [None, short])) == "[ [ 1 2 ] [ 1 2 ] ]"
    assert show(([None, long], [None, long])) == "[ [ 1 2 3 ] «repeated» ]"


def test_a_set_that_contains_itself_is_printed() -> None:
    loop = AttrSet()
    loop["self"] = [None, loop]
    assert show(loop) == "{ self = «repeated»; }"


def test_depth_is_no_limit() -> None:
    assert show(nested(100_000)) == "[ " * 100_000 + "1" + " ]" * 100_000


def test_messages_say_where_a_function_was_written() -> None:
    assert brief(closure("f"), lambda span: f"a.nix:1:{span.start}") == "«lambda f @ a.nix:1:7»"
    assert brief(closure(), lambda span: "b.nix:2:2") == "«lambda @ b.nix:2:2»"
    assert brief(closure("f")) == "«lambda f»"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (ADD, "«primop add»"),
        (PartialApplication(ADD, (1,)), "«partially applied primop add»"),
        (SUSPENDED, "«thunk»"),
        (BEING_FORCED, "«potential infinite recursion»"),
        (False, "false"),
        ("", '""'),
        (AttrSet(), "{ }"),
        (AttrSet(a=1, type="x", _type="y"), '{ _type = "y"; type = "x"; a = 1; }'),
        ((AttrSet(), AttrSet()), "[ { } «repeated» ]"),
        (tuple(range(11)), "[ 0 1 2 3 4 5 6 7 8 9 «1 item elided» ]"),
        ((tuple(range(12)), 1), "[ [ 0 1 2 3 4 5 6 7 8 9 «2 items elided» ] «1 item elided» ]"),
        (nested(11), "[ " * 10 + "[ ... ]" + " ]" * 10),
        ("x" * 1025, '"' + "x" * 1024 + '" «1 byte elided»'),
        ("é" * 1024, '"' + "é" * 512 + '" «1024 bytes elided»'),
    ],
)
def test_messages_show_values_in_brief(value: object, text: str) -> None:
    assert brief(value) == text


def test_messages_show_ten_attributes_in_all() -> None:
    inner = AttrSet({f"b{n}": n for n in range(8)})
    outer = AttrSet(a=inner, c=1, d=2, e=3)
    assert brief(outer).endswith("b7 = 7; }; c = 1; «2 attributes elided» }")


def test_errors_name_the_kind_and_show_the_value() -> None:
    assert type_error("a list", 1).message == "expected a list but found an integer: 1"
    assert (
        type_error("a set", ADD).message
        == "expected a set but found the built-in function 'add': «primop add»"
    )


def test_a_function_is_a_lambda_whoever_wrote_it() -> None:
    assert {type_of(function) for function in (ADD, PartialApplication(ADD, ()), closure())} == {"lambda"}


def test_strings_say_that_they_have_a_context() -> None:
    text = with_context("a", frozenset({"/nix/store/a"}))
    assert (type_of(text), kind_of(text)) == ("string", "a string with context")
