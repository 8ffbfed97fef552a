"""A text that was evaluated lately is not parsed and compiled again, and only the time tells."""

from __future__ import annotations

import anyio
import pytest

from aionix import Evaluation
from aionix.errors import FileError
from aionix.evaluation import EvaluationResult, Tier
from aionix.recent_code import MAX_CHARACTERS, MAX_PATHS
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


async def test_dependencies_are_those_of_all_evaluations_of_the_text(evaluation: Evaluation) -> None:
    text = "n: if n == 0 then import /lib.nix else 1"
    results = [await evaluation.evaluate(text, arguments=[n]) for n in (0, 1)]
    assert [sorted(result.dependencies) for result in results] == [["/lib.nix"], ["/lib.nix"]]
    evaluation.invalidate(["/elsewhere"])
    assert (await evaluation.evaluate(text, arguments=[1])).dependencies == {}


async def test_a_text_that_looks_at_ever_more_paths_begins_anew(evaluation: Evaluation) -> None:
    text = "n: builtins.pathExists (/. + ''/${toString n}'')"
    counts = [len((await evaluation.evaluate(text, arguments=[n])).dependencies) for n in range(MAX_PATHS + 3)]
    assert max(counts) <= MAX_PATHS + 2
    assert counts[-1] < 10


async def test_each_result_has_its_own_warnings_and_errors(evaluation: Evaluation) -> None:
    results = [await evaluation.evaluate("n: import (/. + n)", arguments=[n]) for n in ("none", "lib.nix")]
    assert [[type(error) for error in result.errors] for result in results] == [[FileError], []]
    warned = "{ inherit ({ a = 1; }); }"
    first, again = [(await evaluation.evaluate(warned)).warnings for _ in range(2)]
    assert len(first) == len(again) == 1
    assert first is not again


@pytest.mark.parametrize("tier", ["interpreter", "native", "auto"])
async def test_code_that_got_hot_gives_the_same(tier: Tier) -> None:
    evaluation = Evaluation.builder(Memory({})).mode("strict").tier(tier).build()
    text = "{ n, more ? [ ] }: { a = map (i: i * n) ([ 1 2 ] ++ more); b = if n == 299 then throw ''b'' else n; }"
    for n in range(300):
        result = await evaluation.evaluate(text, arguments=[{"n": n} if n % 2 else {"n": n, "more": [n]}])
        if n == 299:
            assert [error.message for error in result.errors] == ["b"]
        else:
            assert python(result) == {"a": [n, 2 * n] + ([] if n % 2 else [n * n]), "b": n}


async def test_many_may_run_the_same_text_at_once(evaluation: Evaluation) -> None:
    text = "n: let f = i: if i == 0 then n else f (i - 1); in [ (f 300) (import /lib.nix) ]"
    values: dict[int, object] = {}

    async def one(n: int) -> None:
        values[n] = python(await evaluation.evaluate(text, arguments=[n]))

    async with anyio.create_task_group() as group:
        for n in range(50):
            group.start_soon(one, n)
    assert values == {n: [n, 3] for n in range(50)}


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
