"""`Evaluator`: many evaluations at a time, each outcome as it comes, nothing left behind."""

from __future__ import annotations

import contextlib
import gc
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextvars import ContextVar
from pathlib import PurePosixPath
from time import perf_counter
from typing import Self

import anyio
import pytest

import aionix
from aionix import Budget, Evaluator, EvaluatorClosed, Job
from aionix.errors import DeadlineExceeded, InternalError
from aionix.io import FileType
from io_backends import Memory, Sealed

pytestmark = pytest.mark.anyio

ENDLESS = "let loop = n: loop (n + 1); in loop 0"


class Slow(Memory):
    """Takes `seconds` for each read, and knows how many of them go on."""

    def __init__(self, files: dict[str, str], seconds: float = 0.05) -> None:
        super().__init__(files)
        self.seconds = seconds
        self.reading = 0
        self.most = 0

    async def read(self, path: str) -> bytes:
        self.reading += 1
        self.most = max(self.most, self.reading)
        try:
            await anyio.sleep(self.seconds)
            return await super().read(path)
        finally:
            self.reading -= 1


class Connection(Memory):
    """A backend that is opened and closed."""

    state = "new"

    async def __aenter__(self) -> Self:
        self.state = "open"
        return self

    async def __aexit__(self, *_: object) -> None:
        await anyio.lowlevel.checkpoint()
        self.state = "closed"


def files(count: int) -> dict[str, str]:
    return {f"{number}.nix": f"{number}" for number in range(count)}


def paths(count: int) -> list[PurePosixPath]:
    return [PurePosixPath(f"/{number}.nix") for number in range(count)]


async def numbers(outcomes: AsyncIterator[aionix.Outcome[PurePosixPath]]) -> list[object]:
    return [result.unwrap().to_python() async for _, result in outcomes]


# -- many


@pytest.mark.parametrize("limit", [20, 50])
async def test_two_hundred_slow_files_take_as_long_as_the_limit_says(limit: int) -> None:
    async def seconds() -> float:
        io = Slow(files(200))
        async with Evaluator(io) as evaluator:
            started = perf_counter()
            found = await numbers(evaluator.evaluate_many(paths(200), limit=limit))
            taken = perf_counter() - started
        assert sorted(found) == list(range(200))  # type: ignore[type-var]
        assert io.most == limit
        return taken

    await within(200 * 0.05 / limit + 0.5, seconds)


@pytest.mark.parametrize("limit", [20, 64])
async def test_and_so_does_one_expression_that_imports_them_all(limit: int) -> None:
    listed = "[" + " ".join(f"(import /{number}.nix)" for number in range(200)) + "]"
    mapped = 'builtins.genList (n: import (/. + "${toString n}.nix")) 200'
    for code in (listed, mapped):

        async def seconds(code: str = code) -> float:
            io = Slow(files(200))
            evaluation = aionix.Evaluation.builder(io).mode("strict").ahead(limit).build()
            started = perf_counter()
            result = await evaluation.evaluate(code)
            taken = perf_counter() - started
            assert result.unwrap().to_python() == list(range(200))
            assert io.most <= limit + 1
            return taken

        await within(200 * 0.05 / limit + 0.5, seconds)


async def within(at_most: float, seconds: Callable[[], Awaitable[float]]) -> None:
    """The best of three: the machine may have other work."""
    assert await seconds() < at_most or await seconds() < at_most or await seconds() < at_most


async def test_outcomes_come_as_they_are_ready_with_their_jobs() -> None:
    io = Slow({"slow.nix": "1"}, 0.2)
    jobs = [PurePosixPath("/slow.nix"), "1 + 1", Job(code="{ a = ./x; }", base_dir="/d"), b"nope", "throw 1"]
    async with Evaluator(io) as evaluator:
        outcomes = [outcome async for outcome in evaluator.evaluate_many(jobs)]
    assert outcomes[-1].job == jobs[0]
    found = {str(job): [error.code for error in result.errors] for job, result in outcomes}
    assert list(found.values())[-1] == []
    assert found["1 + 1"] == []
    assert found[str(b"nope")] == ["E010"]
    assert found["throw 1"] == ["E018"]
    assert {str(result.value) for _, result in outcomes} >= {"1", "2", "{ a = /d/x; }", "None"}


async def test_in_order_if_asked_for() -> None:
    class Uneven(Memory):
        async def read(self, path: str) -> bytes:
            await anyio.sleep(0.001 * (7 * int(path[1:-4]) % 5))
            return await super().read(path)

    async with Evaluator(Uneven(files(50))) as evaluator:
        assert await numbers(evaluator.evaluate_many(paths(50), limit=7, ordered=True)) == list(range(50))


async def test_a_slow_consumer_holds_up_the_jobs() -> None:
    begun: list[int] = []

    def jobs() -> Iterator[str]:
        for number in range(100):
            begun.append(number)
            yield str(number)

    async with (
        Evaluator(Sealed()) as evaluator,
        evaluator.evaluate_many(jobs(), limit=3) as outcomes,
    ):
        await anext(outcomes)
        await anyio.wait_all_tasks_blocked()
        assert len(begun) <= 8


async def test_jobs_may_come_one_by_one_from_elsewhere() -> None:
    async def jobs() -> AsyncIterator[str]:
        for number in range(5):
            await anyio.sleep(0.001)
            yield f"{number}"

    async with Evaluator(Sealed()) as evaluator:
        results = [str(result.value) async for _, result in evaluator.evaluate_many(jobs(), ordered=True)]
    assert results == ["0", "1", "2", "3", "4"]


async def test_what_goes_wrong_with_the_jobs_comes_after_their_outcomes() -> None:
    def jobs() -> Iterator[str]:
        yield "1"
        raise LookupError("no more")

    seen = []
    async with Evaluator(Sealed()) as evaluator:
        with pytest.raises(LookupError, match="no more"):
            async for _, result in evaluator.evaluate_many(jobs(), ordered=True):
                seen.append(str(result.value))
    assert seen == ["1"]


async def test_a_fault_of_ours_is_raised_where_the_outcomes_are_taken() -> None:
    @aionix.builtin
    def broken(number: int) -> int:
        raise InternalError("oops")

    evaluation = aionix.Evaluation.builder(Sealed()).builtins(broken).build()
    async with Evaluator(evaluation) as evaluator:
        with pytest.raises(InternalError, match="oops"):
            async for _ in evaluator.evaluate_many(["builtins.broken 1"]):
                pass
        assert str((await evaluator.evaluate("1")).value) == "1"


# -- stopping


async def test_a_loop_that_is_left_cancels_the_rest() -> None:
    io = Slow(files(100), 3600)
    io._tree["0.nix"] = "0"  # type: ignore[index]
    async with Evaluator(io) as evaluator:
        async for _ in evaluator.evaluate_many(["0", *paths(100)], limit=10):
            break
        gc.collect()
        await anyio.wait_all_tasks_blocked()
        assert (io.reading, evaluator.statistics.running) == (0, 0)


async def test_closing_waits_until_the_rest_is_cancelled() -> None:
    io = Slow(files(100), 3600)
    async with Evaluator(io) as evaluator:
        for _ in range(2):
            async with contextlib.aclosing(evaluator.evaluate_many(["0", *paths(100)], limit=10)) as outcomes:
                await anext(outcomes)
                await anyio.wait_all_tasks_blocked()
                assert io.reading == 10
            assert io.reading == 0
        with pytest.raises(StopAsyncIteration):
            await anext(outcomes)


async def test_a_consumer_that_is_cancelled_cancels_the_rest() -> None:
    io = Slow(files(100), 3600)
    async with Evaluator(io) as evaluator:
        with anyio.move_on_after(0.05):
            async with evaluator.evaluate_many(paths(100)) as outcomes:
                await anext(outcomes)
        assert io.reading == 0
        with anyio.move_on_after(0.05):
            async for _ in evaluator.evaluate_many(paths(100)):
                pass
        await anyio.wait_all_tasks_blocked()
        assert io.reading == 0


async def test_an_error_in_the_loop_goes_on_as_it_is() -> None:
    async with Evaluator(Slow(files(100), 3600)) as evaluator:
        with pytest.raises(ZeroDivisionError):
            async for _ in evaluator.evaluate_many(["0", *paths(100)]):
                raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError):
        async with Evaluator(Sealed()) as evaluator:
            raise ZeroDivisionError


async def test_outcomes_that_are_never_asked_for_begin_nothing() -> None:
    io = Slow(files(3))
    async with Evaluator(io) as evaluator:
        evaluator.evaluate_many(paths(3))
        async with evaluator.evaluate_many(paths(3)):
            pass
        await anyio.wait_all_tasks_blocked()
    assert io.most == 0


async def test_outcomes_may_be_taken_in_another_task_and_scope() -> None:
    async with Evaluator(Slow(files(30), 0.001)) as evaluator:
        outcomes = evaluator.evaluate_many(paths(30), limit=4)
        found: list[object] = []

        async def take() -> None:
            with anyio.CancelScope():
                for _ in range(10):
                    found.append((await anext(outcomes)).result.unwrap().to_python())

        for _ in range(3):
            async with anyio.create_task_group() as group:
                group.start_soon(take)
        with pytest.raises(StopAsyncIteration):
            await anext(outcomes)
    assert sorted(found) == list(range(30))  # type: ignore[type-var]


async def test_two_consumers_share_an_evaluator() -> None:
    async with Evaluator(Slow(files(40), 0.001)) as evaluator:
        found: list[list[object]] = []

        async def take() -> None:
            found.append(await numbers(evaluator.evaluate_many(paths(40), limit=5, ordered=True)))

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(take)
    assert found == [list(range(40))] * 3


async def test_leaving_cancels_what_goes_on_and_says_so() -> None:
    io = Slow(files(10), 3600)
    said: list[str] = []

    async def one(evaluator: Evaluator) -> None:
        try:
            await evaluator.evaluate(ENDLESS)
        except EvaluatorClosed:
            said.append("one")

    async def many(evaluator: Evaluator) -> None:
        try:
            async for _ in evaluator.evaluate_many(paths(10)):
                pass
        except EvaluatorClosed:
            said.append("many")

    async with anyio.create_task_group() as group:
        evaluation = aionix.Evaluation.builder(io).max_call_depth(10**9).build()
        async with Evaluator(evaluation) as evaluator:
            group.start_soon(one, evaluator)
            group.start_soon(many, evaluator)
            await anyio.sleep(0.05)
        assert io.reading == 0
        assert evaluator.statistics.running == 0
    assert sorted(said) == ["many", "one"]
    with pytest.raises(EvaluatorClosed):
        await evaluator.evaluate("1")
    with pytest.raises(EvaluatorClosed):
        await anext(evaluator.evaluate_many(["1"]))


async def test_leaving_while_cancelled_waits_for_the_end_all_the_same() -> None:
    io = Slow(files(10), 3600)
    with anyio.move_on_after(0.05) as scope:
        async with Evaluator(io) as evaluator, evaluator.evaluate_many(paths(10)) as outcomes:
            await anext(outcomes)
    assert scope.cancelled_caught
    assert io.reading == 0


async def test_a_backend_is_opened_and_closed_with_its_evaluator() -> None:
    io = Connection({"a.nix": "1"})
    async with Evaluator(io) as evaluator:
        assert io.state == "open"
        await evaluator.evaluate_file("/a.nix")
    assert io.state == "closed"
    with pytest.raises(RuntimeError, match="entered once"):
        await evaluator.__aenter__()


async def test_an_evaluation_keeps_its_backend() -> None:
    io = Connection({"a.nix": "1"})
    async with Evaluator(aionix.Evaluation.builder(io).build()) as evaluator:
        await evaluator.evaluate_file("/a.nix")
    assert io.state == "new"


async def test_an_evaluator_is_forgotten_with_its_work() -> None:
    async def use() -> weakref.ref[Evaluator]:
        async with Evaluator(Slow(files(4), 0.001)) as evaluator:
            await numbers(evaluator.evaluate_many(paths(4)))
        return weakref.ref(evaluator)

    forgotten = await use()
    await anyio.lowlevel.checkpoint()
    gc.collect()
    assert forgotten() is None


# -- deadlines, counts, context


@pytest.mark.parametrize("code", [ENDLESS, "import /slow.nix"])
async def test_a_deadline_is_an_error_of_the_evaluation(code: str) -> None:
    evaluation = aionix.Evaluation.builder(Slow({"slow.nix": "1"}, 3600)).max_call_depth(10**9).build()
    async with Evaluator(evaluation, budget=Budget(seconds=0.05)) as evaluator:
        result = await evaluator.evaluate(code)
        assert [type(error) for error in result.errors] == [DeadlineExceeded]
        assert result.errors[0].code == "E056"
        assert "0.05 s" in result.errors[0].message
        assert result.value is None
        assert (await evaluator.evaluate("1", budget=Budget(seconds=5))).unwrap().to_python() == 1


async def test_what_ran_out_of_time_in_one_evaluation_goes_on_in_another() -> None:
    io = Slow({"slow.nix": "builtins.readFile /text", "text": "here"}, 0.06)
    async with Evaluator(io) as evaluator:
        async with anyio.create_task_group() as group:
            late: list[aionix.EvaluationResult] = []

            async def hasty() -> None:
                late.append(await evaluator.evaluate_file("/slow.nix", budget=Budget(seconds=0.03)))

            group.start_soon(hasty)
            group.start_soon(hasty)
            await anyio.lowlevel.checkpoint()
            patient = await evaluator.evaluate_file("/slow.nix")
        assert [result.errors[0].code for result in late] == ["E056", "E056"]
        assert patient.unwrap().to_python() == "here"


async def test_statistics_count_what_was_done() -> None:
    texts = {"a.nix": "builtins.readFile ./b.txt", "b.txt": "1234567890"}
    async with Evaluator(Slow(texts, 0.01)) as evaluator:
        first = await evaluator.evaluate_file("/a.nix")
        assert first.usage.files_read == 2
        assert first.usage.bytes_read == sum(map(len, texts.values()))
        assert first.usage.seconds > 0.02
        again = await evaluator.evaluate_file("/a.nix")
        assert again.usage.files_read == 0
        loop = await evaluator.evaluate("let f = n: if n == 0 then 0 else f (n - 1); in f 5000 + nope")
        loop = await evaluator.evaluate("let f = n: if n == 0 then 0 else f (n - 1); in f 5000")
        assert 4000 < loop.usage.steps < 20_000
        done = evaluator.statistics
        assert (done.evaluations, done.failed, done.running) == (4, 1, 0)
        assert done.usage.files_read == 2
        assert done.usage.io_calls == first.usage.io_calls + again.usage.io_calls
        [_ async for _ in evaluator.evaluate_many(["builtins.readFile /b.txt"] * 9, limit=3)]
        assert evaluator.statistics.peak == 3


async def test_steps_are_counted_for_who_takes_them() -> None:
    async def steps(*codes: str) -> list[int]:
        async with Evaluator(Slow({"x": ""}, 0.001)) as evaluator:
            found = evaluator.evaluate_many(codes, ordered=True)
            return [result.usage.steps async for _, result in found]

    small = 'let f = n: if n == 0 then 0 else builtins.stringLength (builtins.readFile /x) + f (n - 1); in f 20'
    large = "let f = n: if n == 0 then 0 else f (n - 1); in builtins.foldl' (a: n: f 100) 0 (builtins.genList (n: n) 300)"
    alone = [*await steps(small), *await steps(large)]
    together = await steps(small, large)
    assert abs(together[0] - alone[0]) < 200
    assert abs(together[1] - alone[1]) < 200


async def test_evaluations_see_the_context_of_who_asks_for_them() -> None:
    request: ContextVar[str] = ContextVar("request", default="none")

    @aionix.builtin
    async def who(_: int) -> str:
        await anyio.lowlevel.checkpoint()
        return request.get()

    async with Evaluator(aionix.Evaluation.builder(Sealed()).builtins(who).build()) as evaluator:
        request.set("mine")
        assert (await evaluator.evaluate("builtins.who 1")).unwrap().to_python() == "mine"
        async for _, result in evaluator.evaluate_many(["builtins.who 1"]):
            assert result.unwrap().to_python() == "mine"


def test_a_job_is_either_code_or_a_path() -> None:
    with pytest.raises(TypeError):
        Job()
    with pytest.raises(TypeError):
        Job(code="1", path="/a.nix")


async def test_at_least_one_goes_on() -> None:
    async with Evaluator(Sealed()) as evaluator:
        with pytest.raises(ValueError, match="at least one"):
            evaluator.evaluate_many([], limit=0)


async def test_read_dir_counts_as_a_question() -> None:
    class Listing(Memory):
        async def read_dir(self, path: str) -> dict[str, FileType]:
            return await super().read_dir(path)

    async with Evaluator(Listing({"d": {}})) as evaluator:
        assert (await evaluator.evaluate("builtins.readDir /d")).usage.io_calls == 1


async def test_a_job_may_bring_arguments() -> None:
    jobs = [Job(code="n: m: n - m", arguments=[5, 2]), Job(path="/f.nix", arguments=[5])]
    async with Evaluator(Memory({"f.nix": "n: n * n"})) as evaluator:
        outcomes = [outcome async for outcome in evaluator.evaluate_many(jobs, ordered=True)]
        assert [outcome.result.unwrap().to_python() for outcome in outcomes] == [3, 25]
        assert (await evaluator.evaluate("n: n", arguments=[1])).unwrap().to_python() == 1
        assert (await evaluator.evaluate_file("/f.nix", arguments=[2])).unwrap().to_python() == 4
