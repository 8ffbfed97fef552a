"""Going from tier to tier, and out of compiled code by an exception, leaves everything as it should be."""

from __future__ import annotations

import gc
import json
import os

import anyio
import pytest

import aionix
from aionix.errors import InfiniteRecursion, NixError, OutOfMemory, StackOverflow
from aionix.evaluation import FUEL, Evaluation, EvaluationBuilder, Tier
from aionix.recent_code import MAX_CHARACTERS
from aionix.values.functions import call
from aionix.values.thunk import native
from aionix.vm import machine
from aionix.vm.engine import Unit
from io_backends import Sealed

pytestmark = pytest.mark.anyio

ANY_DEPTH = 10**9
TIERS: list[Tier] = ["interpreter", "native", "auto"]
in_every_tier = pytest.mark.parametrize("tier", TIERS)
slow = pytest.mark.skipif(not os.environ.get("AIONIX_SLOW_TESTS"), reason="needs AIONIX_SLOW_TESTS")


def builder(tier: Tier) -> EvaluationBuilder:
    return Evaluation.builder(Sealed()).tier(tier).mode("strict")


async def error_of(code: str, evaluation: Evaluation) -> NixError:
    result = await evaluation.evaluate(code)
    assert result.value is None
    return result.errors[0]


def plain(error: NixError) -> str:
    return json.dumps(error.to_dict())


# -- the way from tier to tier


@pytest.mark.parametrize("tier", ["native", "auto"])
@pytest.mark.parametrize(
    "code",
    [
        "let f = n: if n == 0 then { }.x else 1 + f (n - 1); in f %d",
        "let f = n: if n == 0 then 1 + true else 1 + builtins.head [ (f (n - 1)) ]; in f %d",
        "let f = n: { a.b = if n == 0 then throw \"end\" else (f (n - 1)).a; }; in f %d",
        "let f = { n, m ? n - 1 }: if n == 0 then f { } else f { n = m; } + n; in f { n = %d; }",
        "let even = n: if n == 0 then null + 1 else ! (odd (n - 1)); odd = n: ! (even (n - 1)); in even %d",
        "let x = 1 + f %d; f = n: if n == 0 then x else 1 + f (n - 1); in x",
    ],
)
async def test_places_are_right_where_a_function_was_compiled_while_it_ran(code: str, tier: Tier) -> None:
    # The frames that the error passes first are compiled in `auto`, the others were when they began.
    code %= 2 * FUEL + 100
    expected = await error_of(code, builder("interpreter").build())
    assert len(expected.frames) > FUEL
    assert plain(await error_of(code, builder(tier).build())) == plain(expected)


@pytest.mark.parametrize("fuel", [0, 1, 2, 5, 50])
async def test_infinite_recursion_is_found_across_tiers(fuel: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aionix.evaluation.FUEL", fuel)
    code = "let x = 1 + f 20; f = n: if n == 0 then y else 1 + f (n - 1); y = { a = x; }.a; in x"
    expected = await error_of(code, builder("interpreter").build())
    assert isinstance(expected, InfiniteRecursion)
    assert plain(await error_of(code, builder("auto").build())) == plain(expected)


@pytest.mark.parametrize("fuel", [0, 1, 3, 10, 200])
async def test_two_evaluations_go_on_while_their_code_is_compiled(
    fuel: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every call hands over to the other run now; both are in the middle of `f` when it is compiled.
    monkeypatch.setattr("aionix.evaluation.FUEL", fuel)
    monkeypatch.setattr(machine, "SLICE", -1.0)
    monkeypatch.setattr(machine, "CALLS_PER_LOOK", 0)
    evaluation = builder("auto").build()
    code = "let f = n: if n == 0 then { v = 0; } else { v = n + (f (n - 1)).v; s = f 3; }; in { inherit f; t = f 40; }"
    shared = (await evaluation.evaluate(code.replace("t = f 40;", ""))).unwrap()
    f = await shared.get("f")
    results: list[str] = []

    async def add(n: int) -> None:
        results.append(str(await (await (await f.call(n)).get("v")).force_deep()))

    async with anyio.create_task_group() as group:
        for n in (25, 30, 25):
            group.start_soon(add, n)
    assert sorted(results) == sorted(["325", "465", "325"])


@pytest.mark.parametrize("fuel", [0, 1, 3])
async def test_a_thunk_that_two_evaluations_want_is_computed_once(
    fuel: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aionix.evaluation.FUEL", fuel)
    monkeypatch.setattr(machine, "SLICE", -1.0)
    monkeypatch.setattr(machine, "CALLS_PER_LOOK", 0)
    traced: list[str] = []
    evaluation = builder("auto").mode("lazy").trace(traced.append).build()
    code = 'let f = n: if n == 0 then 0 else 1 + f (n - 1); in { t = builtins.trace "once" (f 30); }'
    shared = (await evaluation.evaluate(code)).unwrap()
    results: list[str] = []

    async def add() -> None:
        results.append(str(await shared.get("t")))

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(add)
    assert results == ["30"] * 3
    assert len(traced) == 1


# -- depth


NESTED_CALLS = [
    "let f = x: if x == 0 then 0 else 1 + f (x - 1); in f %d",
    "let f = x: if x == 0 then 0 else let y = 1 + f (x - 1); in y; in f %d",
    "let f = { x }: if x == 0 then 0 else { y = 1 + f { x = x - 1; }; }.y; in f { x = %d; }",
    "let f = x: if x == 0 then 0 else 1 + builtins.head (map f [ (x - 1) ]); in f %d",
]


@slow
@pytest.mark.parametrize("code", NESTED_CALLS[:2])
async def test_a_million_calls_of_compiled_code_nest(code: str) -> None:
    evaluation = builder("native").max_call_depth(ANY_DEPTH).build()
    assert str((await evaluation.evaluate(code % 1_000_000)).unwrap()) == "1000000"


@in_every_tier
@pytest.mark.parametrize("depth", [30_000])
@pytest.mark.parametrize("code", NESTED_CALLS)
async def test_calls_nest_as_deep_as_is_allowed(code: str, depth: int, tier: Tier) -> None:
    evaluation = builder(tier).max_call_depth(ANY_DEPTH).build()
    assert str((await evaluation.evaluate(code % depth)).unwrap()) == str(depth)


@in_every_tier
@pytest.mark.parametrize(
    "code",
    [
        "let f = n: let y = f (n + 1); in y; in f 0",
        "let f = n: { y = f (n + 1); }.y; in f 0",
        "let f = n: with { y = f (n + 1); }; y; in f 0",
        "let f = n: [ (f n) ] == [ 1 ]; in f 0",
        "let f = n: [ (f n) ] < [ 1 ]; in f 0",
        'let s = { __toString = self: "${self}"; }; in "${s}"',
        'let s = { __toString = self: "a" + self; }; in "${s}"',
        "let f = n: assert f n; 1; in f 0",
        "let f = n: f n && true; in f 0",
        "let f = n: (f n).a or 1; in f 0",
        "let f = n: n (f n); in f (x: x)",
        "let f = { a ? f { } }: a; in f { }",
        "let s = { __functor = self: x: s x; }; in s 1",
        "let f = n: g (n + 1); g = n: f (n + 1); in 1 + f 0",
    ],
)
async def test_endless_recursion_of_any_kind_is_a_stack_overflow(code: str, tier: Tier) -> None:
    error = await error_of(code, builder(tier).max_call_depth(2_000).build())
    assert isinstance(error, StackOverflow)
    assert error.span is not None


@in_every_tier
async def test_what_is_called_on_the_border_of_two_fibers_is_called_once(tier: Tier) -> None:
    traced: list[str] = []
    evaluation = builder(tier).trace(traced.append).build()
    code = """
    let
      say = builtins.trace;
      f = n: let x = say "x" n; in
        if x == 0 then 0 else if x ? a || "${say "s" ""}" == "b" then 1
        else say "f" (1 + f (x - say "y" 1)) + (if { a = say "c" 0; } == { a = 1; } then 1 else 0);
    in f 2000"""
    assert str((await evaluation.evaluate(code)).unwrap()) == "2000"
    assert {word: len([line for line in traced if line.endswith(word)]) for word in "xsfyc"} == {
        "x": 2001, "s": 2000, "f": 2000, "y": 2000, "c": 2000
    }  # fmt: skip


# -- what exceptions leave behind


@in_every_tier
@pytest.mark.parametrize("kind", [KeyboardInterrupt, MemoryError, RecursionError, SystemExit])
async def test_thunks_are_usable_after_an_interruption(kind: type[BaseException], tier: Tier) -> None:
    failures: list[BaseException] = []

    def compute(_: None) -> int:
        if failures:
            raise failures.pop()
        return 7

    evaluation = builder(tier).mode("lazy").build()
    code = """
    probe: let f = n: if n == 0 then probe else let y = f (n - 1); in y + 1;
    in rec { t = (f 30) + u.v; u = { v = w { } 5; }; w = { a ? b, b ? probe - 6, ... }: x: a + x; }"""
    function = (await evaluation.evaluate(code)).unwrap().raw
    probe = native(compute)(None)
    held = (await evaluation.evaluate_value(lambda: call(function, probe))).unwrap()
    for _ in range(3):
        failures.append(kind("no"))
        with pytest.raises((kind, OutOfMemory, StackOverflow)):
            await held.get("t")
        assert not failures
    assert str(await held.get("t")) == "43"
    assert str(await held.get("t")) == "43"


@in_every_tier
async def test_thunks_are_usable_after_a_cancellation(tier: Tier) -> None:
    waiting = anyio.Event()

    async def wait(n: int) -> int:
        waiting.set()
        if n == 0 and not done:
            await anyio.sleep_forever()
        return n

    done: list[bool] = []
    evaluation = builder(tier).mode("lazy").builtins(aionix.builtin(wait, name="wait")).build()
    code = "let f = n: if n == 0 then builtins.wait 0 else let y = f (n - 1); in y + 1; in { t = f 30; }"
    held = (await evaluation.evaluate(code)).unwrap()
    async with anyio.create_task_group() as group:
        group.start_soon(held.get, "t")
        await waiting.wait()
        group.cancel_scope.cancel()
    done.append(True)
    assert str(await held.get("t")) == "30"


@in_every_tier
async def test_what_was_too_deep_has_its_value_from_a_shallower_place(tier: Tier) -> None:
    evaluation = builder(tier).mode("lazy").max_call_depth(2_000).build()
    code = """
    let f = n: if n == 0 then 0 else 1 + f (n - 1);
    in rec { t = f 1500; g = n: if n == 0 then t else 1 + g (n - 1); }"""
    held = (await evaluation.evaluate(code)).unwrap()
    g = await held.get("g")
    for _ in range(3):
        with pytest.raises(StackOverflow):
            await g.call(1000)
    assert str(await held.get("t")) == "1500"
    assert str(await g.call(1000)) == "2500"


@in_every_tier
async def test_a_failed_thunk_tells_the_same_each_time(tier: Tier) -> None:
    evaluation = builder(tier).mode("lazy").build()
    held = (await evaluation.evaluate("let f = n: if n == 0 then { }.x else 1 + f (n - 1); in { t = f 5; }")).unwrap()
    told: list[str] = []
    for _ in range(3):
        with pytest.raises(NixError) as caught:
            await held.get("t")
        told.append(plain(caught.value))
    assert len(set(told)) == 1


@in_every_tier
async def test_a_caught_error_does_not_use_up_depth(tier: Tier) -> None:
    evaluation = builder(tier).max_call_depth(1_000).build()
    code = """
    let fail = n: if n == 0 then throw "x" else 1 + fail (n - 1);
        loop = builtins.foldl' (a: n: if (builtins.tryEval (fail 100)).success then a else a + 1) 0;
    in loop (builtins.genList (n: n) 300)"""
    assert str((await evaluation.evaluate(code)).unwrap()) == "300"




async def test_compiled_code_goes_with_what_it_was_made_for() -> None:
    # The collector does not look into code objects, so nothing of an evaluation may be in one.
    def units() -> int:
        gc.collect()
        return sum([isinstance(each, Unit) for each in gc.get_objects()])

    evaluation = builder("native").build()
    await evaluation.evaluate("1")
    before = units()
    for n in range(20):
        code = f"let f = n: if n < 2 then {n} else map (x: f (n - 1) + x) [ 1 ]; in builtins.length (f 3)"
        long = code + "#" * MAX_CHARACTERS  # too long to be kept for the next time
        assert (await evaluation.evaluate(long)).unwrap().to_python() == 1
    assert units() == before
