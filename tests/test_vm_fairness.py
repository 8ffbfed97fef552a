"""Other tasks never wait long for an evaluation."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable
from time import perf_counter, process_time

import anyio
import pytest

from aionix.evaluation import Evaluation, Tier
from aionix.vm.machine import TURNS
from io_backends import Memory, Sealed

pytestmark = pytest.mark.anyio

FIB = "let f = n: if n < 2 then n else f (n - 1) + f (n - 2); in f %d"
LONG_BUILTINS = """
let numbers = builtins.genList (n: n) 50000;
in builtins.length (builtins.sort (a: b: a < b) (map (n: 50000 - n) numbers))
"""
# The operator calls nothing, so no call of Nix code looks at the clock.
CLOSURE = """
builtins.length (builtins.genericClosure {
  startSet = [ { key = 0; } ];
  operator = { key }: if key < 60000 then [ { key = key + 1; } ] else [ ];
})
"""


class Ticker:
    """Sleeps a millisecond at a time; `gap` is the longest its own thread computed in between."""

    def __init__(self) -> None:
        self.gap = 0.0
        self.ticks = 0

    async def run(self) -> None:
        while True:
            started = process_time()
            await anyio.sleep(0.001)
            self.gap = max(self.gap, process_time() - started)
            self.ticks += 1


async def assert_short(gap: Callable[[], Awaitable[float]]) -> None:
    """The gap is under 20 ms of processor time, once in ten: a machine that is shared gives and takes away
    tens of milliseconds where it likes, and counts them as ours. What we do is done every time."""
    seen: list[float] = []
    while not seen or seen[-1] >= 0.020:
        assert len(seen) < 10, seen
        seen.append(await gap())


@pytest.mark.parametrize("expression", [FIB, LONG_BUILTINS, CLOSURE], ids=["calls", "builtins", "closure"])
@pytest.mark.parametrize("tier", ["interpreter", "native", "auto"])
async def test_a_ticker_sees_no_gap_over_20_ms(expression: str, tier: Tier) -> None:
    await assert_short(lambda: longest_gap(expression, tier))


async def longest_gap(expression: str, tier: Tier) -> float:
    evaluation = Evaluation.builder(Sealed()).tier(tier).build()
    ticker = Ticker()
    if expression is FIB:
        expression %= 22 if tier == "interpreter" else 26
    started = perf_counter()
    gc.disable()  # a full collection of this heap takes 60 ms: CPython's pause, and the program's to tune
    async with anyio.create_task_group() as group:
        group.start_soon(ticker.run)
        (await evaluation.evaluate(expression)).unwrap()
        group.cancel_scope.cancel()
    gc.enable()
    assert perf_counter() - started > 0.05
    assert ticker.ticks > 5
    return ticker.gap


class Pausing(Memory):
    async def read(self, path: str) -> bytes:
        await anyio.sleep(0.01)
        return await super().read(path)


MANY = {
    "begin together": f"{FIB % 13} + import /0.nix",
    "go on together": "map (n: import (/. + ''/${toString n}.nix'')) (builtins.genList (n: n) 5)",
}


@pytest.mark.parametrize("expression", MANY.values(), ids=MANY.keys())
async def test_nor_beside_200_evaluations(expression: str) -> None:
    await assert_short(lambda: longest_gap_beside(200, expression))


async def longest_gap_beside(count: int, expression: str) -> float:
    evaluations = [
        Evaluation.builder(Pausing({f"{n}.nix": str(n) for n in range(5)})).mode("strict").build()
        for _ in range(count)
    ]
    ticker = Ticker()
    gc.collect()
    gc.disable()
    async with anyio.create_task_group() as group:
        group.start_soon(ticker.run)
        async with anyio.create_task_group() as work:
            for evaluation in evaluations:
                work.start_soon(evaluation.evaluate, expression)
        group.cancel_scope.cancel()
    gc.enable()
    assert ticker.ticks > 5
    return ticker.gap


async def test_who_began_first_is_not_overtaken() -> None:
    # 20 clients; between the question of one and its answer, each of the others gets one, or two if the
    # slice ended in the middle. Those who began in what was left of a slice used to go ahead of all in line.
    clients, times, done = 20, 20, 0
    overtaken: list[int] = []
    evaluation = Evaluation.builder(Sealed()).tier("interpreter").build()

    async def client() -> None:
        nonlocal done
        for _ in range(times):
            before = done
            (await evaluation.evaluate(FIB % 10)).unwrap()
            overtaken.append(done - before)
            done += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        for _ in range(clients):
            group.start_soon(client)
    assert sum(count <= 2 * clients for count in overtaken) > 0.95 * clients * times, sorted(overtaken)


async def test_who_is_refused_lets_the_next_one_have_its_turn() -> None:
    evaluation = Evaluation.builder(Sealed()).build()
    value = (await evaluation.evaluate("[ 1 ]")).unwrap()
    found: list[object] = []

    async def refused() -> None:
        with pytest.raises(RuntimeError, match="one event loop at a time"):
            await value.force_deep()

    async def next_one() -> None:
        found.append((await Evaluation.builder(Sealed()).build().evaluate("2")).unwrap().to_python())

    evaluation.machine._users = 1  # as if another thread's loop had it
    evaluation.machine._thread = 0
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            TURNS.begin(0.0)  # over at once, so both stand in line
            group.start_soon(refused)
            group.start_soon(next_one)
    assert found == [2]
