"""A function that ends in a call of itself is a loop when it is compiled, and nobody can tell."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import anyio
import anyio.lowlevel
import pytest

from aionix import Budget
from aionix.errors import StackOverflow, StepsExceeded
from aionix.evaluation import FUEL, Evaluation, EvaluationBuilder, Tier
from aionix.values.printing import show
from aionix.vm import fiber, machine
from aionix.vm.machine import CALLS_PER_FIBER
from io_backends import Sealed

pytestmark = pytest.mark.anyio

TIERS: list[Tier] = ["interpreter", "native", "auto"]
in_every_tier = pytest.mark.parametrize("tier", TIERS)
COMPILED: list[Tier] = ["native", "auto"]
in_compiled_tiers = pytest.mark.parametrize("tier", COMPILED)
#: More rounds than there are before code is compiled, and than one fiber has.
MANY = CALLS_PER_FIBER + 2 * FUEL


def builder(tier: Tier) -> EvaluationBuilder:
    return Evaluation.builder(Sealed()).tier(tier).mode("strict")


async def told(code: str, evaluation: Evaluation) -> str:
    """The value as it is printed, or all that the error tells."""
    result = await evaluation.evaluate(code)
    return json.dumps(result.errors[0].to_dict()) if result.value is None else show(result.value.raw)


def frames_in_use() -> int:
    count = 0
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        count += 1
    return count


LOOPS = [
    'let go = n: if n == 0 then builtins.trace "" 0 else go (n - 1); in go %d',
    'let go = n: acc: if n == 0 then builtins.trace "" acc else go (n - 1) (acc + n); in go %d 0',
    'let go = { n, acc ? 0 }: if n == 0 then builtins.trace "" acc else go { n = n - 1; acc = acc + n; };'
    " in go { n = %d; }",
    'let go = n: if n == 0 then builtins.trace "" 0 else if n > 9 then go (n - 2) else go (n - 1); in go %d',
    'let go = n: if n == 0 then builtins.trace "" 0 else with { a = 1; }; let m = n - a; in go m; in go %d',
    'let go = n: assert n >= 0; if n == 0 then builtins.trace "" 0 else go (n - 1); in go %d',
]


@pytest.mark.parametrize("code", LOOPS)
async def test_rounds_take_no_frames(code: str) -> None:
    def frames(rounds: int) -> Callable[[str], None]:
        return lambda line: seen.append((rounds, frames_in_use()))

    seen: list[tuple[int, int]] = []
    for rounds in (20, 220):
        (await builder("native").trace(frames(rounds)).build().evaluate(code % rounds)).unwrap()
    (_, few), (_, many) = seen
    assert many == few


# -- errors


@in_compiled_tiers
@pytest.mark.parametrize(
    "code",
    [
        "let go = n: if n == 0 then { }.x else go (n - 1); in go %d",
        "let go = n: acc: if n == 0 then builtins.length acc else go (n - 1) (acc + n); in go %d 0",
        "let go = n: acc: if n == 0 then 1 + null else if n > 300 then go (n - 2) acc else go (n - 1) 7; in go %d 0",
        "let go = { n, acc ? 0 }: if n == 0 then acc + null else go { n = n - 1; acc = acc + n; }; in go { n = %d; }",
        "let go = { n }: if n == 0 then go { } else go { n = n - 1; }; in go { n = %d; }",
        'let go = n: acc: if n == 0 then acc + 1 else go (n - 1) (acc + "a"); in go %d ""',
        'let go = n: if n == 0 then throw "x" else go (n - 1); id = x: x; in id (1 + id (go %d))',
        "let go = n: if n == 3 then 1 + go 2 else if n == 0 then n n else go (n - 1); in go %d",
        "let go = n: assert n > 5; go (n - 1); in go %d",
        "let x = go %d; go = n: if n == 0 then x else go (n - 1); in x",
        "let go = n: with { a = n - 1; }; if n == 0 then b else go a; in go %d",
        "let go = n: acc: if n == 0 then acc else go (n - 1) (if n == 5 then acc.x else acc); in go %d { }",
        "let f = n: if n == 0 then null + 1 else go n (n - 1); go = k: n: if k == 0 then f n else go (k - 1) n; in f 20",
        "map (go: go 20) [ (let go = n: if n == 0 then { }.x else go (n - 1); in go) ]",
    ],
)
async def test_an_error_tells_of_every_round(code: str, tier: Tier) -> None:
    code = code.replace("%d", str(MANY))
    expected = await told(code, builder("interpreter").build())
    assert expected.startswith("{")
    assert await told(code, builder(tier).build()) == expected


@in_every_tier
async def test_an_error_that_was_caught_ends_the_rounds(tier: Tier) -> None:
    code = """
      let
        go = n: if n == 0 then throw "x" else go (n - 1);
        tried = k: if k == 0 then 0 else if (builtins.tryEval (go 80)).success then 1 else tried (k - 1);
      in tried 90
    """
    assert await told(code, builder(tier).max_call_depth(200).build()) == "0"


# -- depth


@in_compiled_tiers
@pytest.mark.parametrize(
    "code",
    [
        "let go = n: go (n + 1); in go 0",
        "let go = { n }: go { n = n + 1; }; in go { n = 0; }",
        "let go = n: if n < 0 then 0 else if n - n / 2 * 2 == 0 then go (n + 1) else go (n + 3); in go 0",
        "let go = n: if n < 0 then 0 else with { a = n + 1; }; let m = a; in go m; in go 0",
    ],
)
async def test_rounds_count_as_calls(code: str, tier: Tier) -> None:
    for depth in (50, CALLS_PER_FIBER, 2 * CALLS_PER_FIBER + 7):
        expected = await told(code, builder("interpreter").max_call_depth(depth).build())
        assert StackOverflow.code in expected
        assert await told(code, builder(tier).max_call_depth(depth).build()) == expected


@in_every_tier
async def test_an_endless_loop_ends_at_the_depth_of_nix(tier: Tier) -> None:
    result = await builder(tier).build().evaluate("let go = n: acc: go (n + 1) (acc + n); in go 0 0")
    assert isinstance(result.errors[0], StackOverflow)
    assert len(result.errors[0].frames) == 10_000


@in_every_tier
@pytest.mark.parametrize("rounds", [3, 250, CALLS_PER_FIBER + 100])
@pytest.mark.parametrize(
    "go",
    [
        "n: if n == 0 then 1 else go (n - 1)",
        "n: if n == 0 then builtins.length [ n ] else go (n - 1)",
        "n: if n == 0 then (x: x) 1 else if n > 100 then go (n - 1) else go (n - 1)",
        "n: if n < 1 then once n else go (n - 1)",
    ],
)
async def test_after_its_rounds_a_loop_is_as_deep_as_before(go: str, rounds: int, tier: Tier) -> None:
    code = f"let once = n: 1 + n; go = {go}; f = n: if n == 0 then 0 else go {rounds} + f (n - 1); in f 60"
    assert await told(code, builder(tier).max_call_depth(70 + rounds).build()) == "60"


# -- what belongs to a round


VALUES = [
    # closures and thunks of a round
    "let go = n: fs: if n == 0 then map (f: f 1) fs else go (n - 1) (fs ++ [ (x: x + n) ]); in go 9 [ ]",
    "let go = n: l: if n == 0 then l else go (n - 1) (l ++ [ (n * n) { inherit n; } ]); in go 9 [ ]",
    "let go = n: l: if n == 0 then l else let k = y: if y == 0 then n else k (y - 1); in go (n - 1) ([ (k 3) ] ++ l); in go 9 [ ]",
    "let go = n: s: if n == 0 then s else go (n - 1) (rec { a = n; b = a + n; c = s; }); in go 9 null",
    "let go = n: s: if n == 0 then s else with { m = n; }; go (n - 1) [ m (x: m) s ]; in go 9 null",
    "let go = { n, l ? [ ], f ? (x: g x + n), g ? (x: x * n) }: if n == 0 then map (f: f 1) l else go { n = n - 1; l = l ++ [ f g ]; }; in go { n = 5; }",
    "let go = { n, l ? [ ] }@all: if n == 0 then l else go (all // { n = n - 1; l = [ (removeAttrs all [ \"l\" ]) ] ++ l; }); in go { n = 5; }",
    "let go = a: b: n: if n == 0 then [ a b ] else go b a (n - 1); in go 1 2 7",
    "let go = a: b: n: if n == 0 then [ a b ] else go b (a + b) (n - 1); in go 0 1 91",
    "let go = a: b: n: if n == 0 then [ a b ] else go b (a + b) (n - 1); in go 0.5 1 91",
    "let go = a: b: n: if n == 0 then a + b else go (b + \"x\") (a + \"y\") (n - 1); in go \"\" \"\" 7",
    # what is lazy stays so
    'let go = n: x: if n == 0 then n else go (n - 1) (throw "no"); in go 9 1',
    'let go = n: x: if n == 0 then n else go (n - 1) (x + n); in go 9 (throw "no")',
    'let go = n: x: if n == 0 then n else go (n - 1) (x * x + 1); in go 90 2',
    'let go = n: x: if n == 0 then n else go (n - 1) (x * x); in go 90 2',
    "let go = n: x: if n == 0 then x else go (n - 1) (x * x); in go 90 2",
    "let go = n: x: if n == 0 then x else go (n - 1) (x + x); in go 90 2",
    'let x = go 9 x; go = n: y: if n == 0 then 1 else go (n - 1) (y + 1); in x',
    "let go = n: x: if n == 0 then x else go (n - 1) [ x ]; in go 5 (go 0 1)",
    # other functions at the same place
    "let mk = k: o: let go = n: if n == 0 then k else o (n - 1); in go; a = mk 1 b; b = mk 2 a; in [ (a 8) (a 9) (b 8) ]",
    "let mk = k: o: let go = n: m: if n == 0 then [ k m ] else o (n - 1) (m + k); in go; a = mk 1 b; b = mk 2 a; in [ (a 8 0) (a 9 0) (b 8 0) ]",
    "let mk = k: let go = n: o: if n == 0 then [ k ] else if n == 4 then o (n - 1) go else go (n - 1) o; in go; in [ (mk 1 9 (mk 2)) (mk 2 3 null) ]",
    "let mk = f: let go = n: if n == 0 then f else go (n - 1); in go; in map (f: mk f 5) [ 1 2 3 ]",
    "let go = n: if n == 0 then (m: [ m n ]) else go (n - 1); in go 9 5",
    "let go = n: if n == 0 then (m: [ m n ]) else go (n - 1) 7; in go 0 5",
    "let go = a: b: if a == 0 then b else go (a - 1); in go 0 5",
    "let go = { n, ... }@s: if n == 0 then s else s.next (s // { n = n - 1; next = if n == 3 then (s: s.k) else go; }); in (go { n = 9; next = go; k = 5; })",
    "let even = n: if n == 0 then true else if n > 5 then even (n - 2) else odd (n - 1); odd = n: if n == 0 then false else even (n - 1); in map even [ 9 10 11 ]",
    "let ack = m: n: if m == 0 then n + 1 else if n == 0 then ack (m - 1) 1 else ack (m - 1) (ack m (n - 1)); in ack 2 9",
    "let gcd = a: b: if b == 0 then a else gcd b (a - (a / b) * b); in map (gcd 5040) [ 7 36 55 1024 ]",
    "let go = n: if n == 0 then go else go (n - 1); in (go 5) 4 == go",
    "let go = n: b: n == 0 || go (n - 1) b && b; in [ (go 5 true) (go 5 false) ]",
    "let go = n: if n == 0 then 1 else (go (n - 1)).x or 3; in go 5",
]  # fmt: skip


@pytest.mark.parametrize("code", VALUES)
def test_each_round_has_its_own_variables(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aionix.evaluation.FUEL", 3)
    anyio.run(agreed, code)


async def agreed(code: str) -> None:
    """Asserts that `code` comes to the same in every tier, once and twice."""
    for text in (code, f"map (_: {code}) [ 1 2 ]"):
        expected = await told(text, builder("interpreter").build())
        for tier in COMPILED:
            assert await told(text, builder(tier).build()) == expected


# -- the event loop


ENDLESS = "let go = n: acc: if n < 0 then acc else go (n + 1) (acc + n); in go 0 0"
DEEP = 10**9


@in_every_tier
async def test_a_loop_gives_others_their_turns_and_can_be_cancelled(tier: Tier) -> None:
    evaluation = builder(tier).max_call_depth(DEEP).build()
    turns = 0
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(evaluation.evaluate, ENDLESS)
            for _ in range(20):
                await anyio.lowlevel.checkpoint()
                turns += 1
            scope.cancel()
    assert turns == 20
    assert await told("let go = n: if n == 0 then 5 else go (n - 1); in go 900", evaluation) == "5"


@in_every_tier
async def test_a_thunk_whose_loop_was_cancelled_can_be_forced_again(
    tier: Tier, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluation = builder(tier).build()
    go = "n: acc: if n == 0 then acc else go (n - 1) (acc + n)"
    held = (await evaluation.evaluate(f"let go = {go}; s.v = go 9000 0; in _: s.v")).unwrap()
    values: list[object] = []

    async def call() -> None:
        values.append((await held.call(None)).to_python())

    with monkeypatch.context() as patch:
        patch.setattr(machine, "SLICE", -1.0)  # a turn at every look at the clock
        patch.setattr(fiber, "PROPORTION", 0.0)  # also after a collection has held up the loop
        async with anyio.create_task_group() as group:
            group.start_soon(call)
            for _ in range(20):
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
    assert values == []
    await call()
    assert values == [9000 * 9001 // 2]


@in_every_tier
async def test_rounds_are_steps(tier: Tier) -> None:
    evaluation = builder(tier).max_call_depth(DEEP).build()
    result = await evaluation.evaluate(ENDLESS, budget=Budget(steps=20_000))
    assert isinstance(result.errors[0], StepsExceeded)
    assert 5_000 <= len(result.errors[0].frames) <= 21_000  # the interpreter forces thunks, too
