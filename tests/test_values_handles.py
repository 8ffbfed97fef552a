"""`NixValue`: a value of Nix in Python's hands."""

from pathlib import PurePosixPath

import anyio
import pytest

import aionix
from aionix.errors import (
    ConversionError,
    IndexOutOfBounds,
    MissingAttribute,
    NixError,
    NotCallable,
    Throw,
    TypeMismatch,
)
from io_backends import Memory

pytestmark = pytest.mark.anyio

KINDS = {
    "1": ("int", 1),
    "1.5": ("float", 1.5),
    "true": ("bool", True),
    "null": ("null", None),
    '"text"': ("string", "text"),
    "/a/b": ("path", PurePosixPath("/a/b")),
    "[ 1 [ 2 ] ]": ("list", [1, [2]]),
    "{ b = 1; a.c = 2; }": ("set", {"a": {"c": 2}, "b": 1}),
}


@pytest.mark.parametrize("code", KINDS)
async def test_a_value_tells_its_kind_and_becomes_python_data(code: str) -> None:
    value = await aionix.evaluate(code)
    assert (value.kind, value.to_python()) == KINDS[code]


async def test_true_does_not_become_one() -> None:
    assert type((await aionix.evaluate("true")).to_python()) is bool


@pytest.mark.parametrize("code", ["x: x", "builtins.add", "builtins.add 1"])
async def test_functions_are_lambdas_and_no_data(code: str) -> None:
    value = await aionix.evaluate(code)
    assert value.kind == "lambda"
    with pytest.raises(ConversionError):
        value.to_python()


async def test_a_lazy_value_is_no_data_until_it_is_evaluated_all_through() -> None:
    value = await aionix.evaluate("{ a = [ (1 + 1) ]; }", strict=False)
    with pytest.raises(ConversionError, match=r"not evaluated at \.a"):
        value.to_python()
    assert await value.force_deep() is value
    assert value.to_python() == {"a": [2]}


async def test_an_error_deep_inside_comes_out_when_it_is_forced() -> None:
    value = await aionix.evaluate('{ a = throw "deep"; }', strict=False)
    with pytest.raises(Throw, match="deep"):
        await value.force_deep()


async def test_functions_are_awaited_one_argument_after_the_other() -> None:
    add = await aionix.evaluate("a: b: a + b")
    assert (await add(1, 2)).to_python() == 3
    assert (await (await add(1))(2)).to_python() == 3
    assert (await add.call(1, 2)).to_python() == 3


async def test_functions_take_python_data_and_nix_values() -> None:
    evaluation = aionix.Evaluation.builder(Memory({})).build()
    twice = (await evaluation.evaluate("f: x: f (f x)")).unwrap()
    increment = (await evaluation.evaluate("x: x + 1")).unwrap()
    assert (await twice(increment, 1)).to_python() == 3
    describe = (await evaluation.evaluate("{ name, tags ? [ ] }: [ name (builtins.length tags) ]")).unwrap()
    assert (await (await describe({"name": "n", "tags": ("a", "b")})).force_deep()).to_python() == ["n", 2]


async def test_a_call_with_no_arguments_is_the_value_itself() -> None:
    assert (await (await aionix.evaluate("1"))()).to_python() == 1


async def test_what_is_no_function_cannot_be_called() -> None:
    with pytest.raises(NotCallable):
        await (await aionix.evaluate("1"))(2)


async def test_a_set_with_a_functor_can_be_called() -> None:
    value = await aionix.evaluate("{ n = 2; __functor = self: x: self.n * x; }")
    assert (await value(21)).to_python() == 42


async def test_an_argument_must_be_data() -> None:
    with pytest.raises(ConversionError, match="'object'"):
        await (await aionix.evaluate("x: x"))(object())


async def test_attributes_are_found_by_dotted_path() -> None:
    value = await aionix.evaluate('{ a.b.c = 1 + 1; d = throw "not looked at"; }', strict=False)
    assert (await value.get("a.b.c")).to_python() == 2
    assert (await (await value.get("a")).get("b")).kind == "set"


async def test_names_with_dots_are_quoted() -> None:
    value = await aionix.evaluate('{ hosts."example.org".port = 80; }')
    assert (await value.get('hosts."example.org".port')).to_python() == 80
    with pytest.raises(NixError, match="missing closing quote"):
        await value.get('hosts."example')


async def test_a_missing_attribute_is_named() -> None:
    with pytest.raises(MissingAttribute, match="attribute 'x' missing"):
        await (await aionix.evaluate("{ a = { }; }")).get("a.x.y")
    with pytest.raises(TypeMismatch, match="expected a set but found an integer: 1"):
        await (await aionix.evaluate("{ a = 1; }")).get("a.x")


async def test_elements_are_found_by_index() -> None:
    value = await aionix.evaluate('{ hosts = [ { name = "a"; } { name = "b"; } ]; }')
    assert (await value.get("hosts.1.name")).to_python() == "b"
    with pytest.raises(IndexOutOfBounds, match="2 elements"):
        await value.get("hosts.2")
    with pytest.raises(TypeMismatch, match="expected a set but found a list"):
        await value.get("hosts.name")


async def test_values_may_stand_anywhere_in_data() -> None:
    value = await aionix.evaluate("{ x = 20 + 1; f = n: n * 2; }", strict=False)
    code = "builtins.concatMap (v: [ (v.f v.x) ]) given.values"
    assert (await aionix.evaluate(code, given={"values": [value, value]})).to_python() == [42, 42]
    assert (await (await aionix.evaluate("xs: (builtins.head xs).x"))([value])).to_python() == 21


async def test_keys_are_in_nix_order_and_evaluate_nothing() -> None:
    value = await aionix.evaluate('{ b = throw "no"; a = 1; B = 2; }', strict=False)
    assert value.keys() == ["B", "a", "b"]
    with pytest.raises(TypeMismatch):
        (await aionix.evaluate("[ ]")).keys()


async def test_str_is_what_nix_prints() -> None:
    assert str(await aionix.evaluate('{ a = [ 1 "x" null ]; f = x: x; }')) == (
        '{ a = [ 1 "x" null ]; f = <LAMBDA>; }'
    )
    assert str(await aionix.evaluate("{ a = 1 + 1; }", strict=False)) == "{ a = <CODE>; }"


async def test_repr_is_short() -> None:
    assert repr(await aionix.evaluate("1")) == "<NixValue 1>"
    text = repr(await aionix.evaluate("builtins.genList (x: x) 1000"))
    assert len(text) < 80 and text.endswith("...>")


async def test_strings_that_are_no_utf8_survive() -> None:
    value = await aionix.evaluate(b'"\xff"')
    assert value.to_python() == "\udcff"
    assert (await (await aionix.evaluate("builtins.stringLength"))(b"\xff\xfe")).to_python() == 2


async def test_values_live_longer_than_the_call_that_made_them() -> None:
    files = {"a.nix": "{ late = import ./b.nix; }", "b.nix": "7"}
    value = await aionix.evaluate_file("/a.nix", io=Memory(files), strict=False)
    assert (await value.get("late")).to_python() == 7


async def test_one_value_can_be_used_by_many_tasks() -> None:
    value = await aionix.evaluate("n: builtins.foldl' builtins.add 0 (builtins.genList (x: x) n)")
    results: dict[int, object] = {}

    async def use(n: int) -> None:
        results[n] = (await value(n)).to_python()

    async with anyio.create_task_group() as group:
        for n in range(50):
            group.start_soon(use, n)
    assert results == {n: sum(range(n)) for n in range(50)}
