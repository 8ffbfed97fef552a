"""A text that was evaluated lately is not parsed and compiled again, and only the time tells."""

from __future__ import annotations

import pytest

from aionix import Evaluation
from aionix.errors import FileError
from aionix.evaluation import EvaluationResult
from aionix.recent_code import MAX_CHARACTERS
from io_backends import Memory

pytestmark = pytest.mark.anyio


@pytest.fixture
def evaluation() -> Evaluation:
    files = {"a": {"x.nix": "1"}, "b": {"x.nix": "2"}, "lib.nix": "3"}
    return Evaluation.builder(Memory(files)).mode("strict").build()


def python(result: EvaluationResult) -> object:
    return result.unwrap().to_python()


async def test_a_text_is_parsed_once(evaluation: Evaluation) -> None:
    first = await evaluation.evaluate("[ 1 2 ]")
    again = await evaluation.evaluate("[ 1 2 ]")
    assert again.expr is first.expr
    assert python(again) == [1, 2]


async def test_the_place_of_a_text_is_part_of_what_it_means(evaluation: Evaluation) -> None:
    assert python(await evaluation.evaluate("import ./x.nix", base_dir="/a")) == 1
    assert python(await evaluation.evaluate("import ./x.nix", base_dir="/b")) == 2
    for location in ("/a/f.nix", "/b/f.nix"):
        [error] = (await evaluation.evaluate("throw ''no''", location)).errors
        span = error.to_dict()["span"]
        assert isinstance(span, dict)
        assert span["file"] == location


async def test_values_are_computed_anew() -> None:
    files = {"x.nix": "1"}
    evaluation = Evaluation.builder(Memory(files)).build()
    values = [python(await evaluation.evaluate("builtins.readFile /x.nix"))]
    files["x.nix"] = "2"
    values.append(python(await evaluation.evaluate("builtins.readFile /x.nix")))
    assert values == ["1", "2"]


async def test_each_result_has_its_own_dependencies_and_warnings(evaluation: Evaluation) -> None:
    which = "n: if n == 0 then import /lib.nix else if n == 1 then 1 else import /none"
    results = [await evaluation.evaluate(which, arguments=[n]) for n in (0, 1, 2)]
    assert [sorted(result.dependencies) for result in results[:2]] == [["/lib.nix"], []]
    assert [type(error) for result in results for error in result.errors] == [FileError]
    warned = "{ inherit ({ a = 1; }); }"
    first, again = [(await evaluation.evaluate(warned)).warnings for _ in range(2)]
    assert len(first) == len(again) == 1
    assert first is not again


async def test_a_mistake_is_told_each_time(evaluation: Evaluation) -> None:
    for _ in range(2):
        errors = (await evaluation.evaluate("[ nope nada ]")).errors
        assert [error.message for error in errors] == ["undefined variable 'nope'", "undefined variable 'nada'"]


async def test_what_is_kept_has_a_bound_and_the_oldest_goes_first(evaluation: Evaluation) -> None:
    async def tree(text: str) -> object:
        return (await evaluation.evaluate(text)).expr

    third = " " * (MAX_CHARACTERS // 3 - 1)
    one, two, three = [await tree(f"{n}{third}") for n in (1, 2, 3)]
    assert await tree(f"1{third}") is one  # and is the youngest now
    await tree(f"4{third}")
    assert await tree(f"1{third}") is one
    assert await tree(f"3{third}") is three
    assert await tree(f"2{third}") is not two
    large = "1" + " " * MAX_CHARACTERS
    assert await tree(large) is not await tree(large)
