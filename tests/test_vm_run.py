"""The frame loop, driven with plain Python functions in place of compiled code."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest

from aionix.errors import InfiniteRecursion, InternalError, Throw
from aionix.evaluation import Evaluation
from aionix.values.thunk import Thunk, Value, force, native
from aionix.vm.fiber import running
from aionix.vm.requests import force as await_force
from aionix.vm.requests import force_all, in_fiber
from io_backends import Sealed

pytestmark = pytest.mark.anyio


@pytest.fixture
def evaluation() -> Evaluation:
    return Evaluation.builder(Sealed()).build()


async def doubled(number: int) -> int:
    await anyio.sleep(0.001)
    return 2 * number


def slowly(number: int) -> int:
    return running().suspend(doubled(number))


lazily: Callable[[int], Thunk] = native(slowly)


async def test_a_fiber_without_io_just_returns(evaluation: Evaluation) -> None:
    assert await evaluation.run(lambda: 42) == 42


async def test_a_suspended_fiber_gets_the_answer_of_what_it_asked_for(evaluation: Evaluation) -> None:
    assert await evaluation.run(lambda: slowly(slowly(4))) == 16


async def test_a_coroutine_can_put_a_fiber_on_top_of_itself(evaluation: Evaluation) -> None:
    async def nested(number: int) -> int:
        inner = await in_fiber(lambda: slowly(number))
        return await doubled(inner)

    assert await evaluation.run(lambda: running().suspend(nested(1))) == 4


async def test_errors_cross_every_kind_of_frame(evaluation: Evaluation) -> None:
    def fail() -> Value:
        slowly(1)
        raise Throw("here")

    async def pass_on() -> Value:
        return await in_fiber(fail)

    with pytest.raises(Throw, match="here"):
        await evaluation.run(lambda: running().suspend(pass_on()))


async def test_a_coroutine_can_catch_what_its_fiber_raises(evaluation: Evaluation) -> None:
    def fail() -> Value:
        raise Throw("here")

    async def catch() -> str:
        try:
            await in_fiber(fail)
        except Throw:
            return await in_fiber(lambda: "caught")
        return "not raised"

    assert await evaluation.run(lambda: running().suspend(catch())) == "caught"


async def test_a_thunk_shared_by_many_runs_is_computed_once(evaluation: Evaluation) -> None:
    computed = []

    def compute(number: int) -> int:
        computed.append(number)
        return slowly(number)

    thunk = native(compute)(21)
    results: list[Value] = []

    async def one() -> None:
        results.append(await evaluation.run(lambda: force(thunk)))

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(one)
    assert results == [42] * 10
    assert computed == [21]


async def test_all_who_wait_for_a_thunk_get_its_error(evaluation: Evaluation) -> None:
    def compute(number: int) -> int:
        raise Throw(f"after {slowly(number)}")

    thunk = native(compute)(1)
    messages: list[str] = []

    async def one() -> None:
        with pytest.raises(Throw) as caught:
            await evaluation.run(lambda: force(thunk))
        messages.append(caught.value.message)

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(one)
    assert messages == ["after 2"] * 5


async def test_force_all_overlaps_the_waiting(evaluation: Evaluation) -> None:
    async def all_of_them() -> Value:
        return tuple(await force_all([lazily(number) for number in range(100)]))

    with anyio.fail_after(60):
        values = await evaluation.run(lambda: running().suspend(all_of_them()))
    assert values == tuple(range(0, 200, 2))


async def test_force_all_reports_the_first_error_in_order_not_in_time(evaluation: Evaluation) -> None:
    async def wait_and_throw(seconds: float) -> Value:
        await anyio.sleep(seconds)
        raise Throw(str(seconds))

    make = native(lambda seconds: running().suspend(wait_and_throw(seconds)))

    async def both() -> Value:
        return tuple(await force_all([make(0.03), make(0.0)]))

    with pytest.raises(Throw, match=r"0\.03"):
        await evaluation.run(lambda: running().suspend(both()))


async def test_a_thunk_that_needs_itself_is_infinite_recursion(evaluation: Evaluation) -> None:
    thunk: Thunk = []
    thunk += native(lambda _: force(thunk))(0)
    with pytest.raises(InfiniteRecursion):
        await evaluation.run(lambda: force(thunk))


async def test_two_runs_that_wait_for_each_other_are_infinite_recursion(evaluation: Evaluation) -> None:
    first: Thunk = []
    second: Thunk = []
    first += native(lambda _: (slowly(1), force(second))[1])(0)
    second += native(lambda _: (slowly(1), force(first))[1])(0)
    failures = []

    async def one(thunk: Thunk) -> None:
        with pytest.raises(InfiniteRecursion):
            await evaluation.run(lambda: force(thunk))
        failures.append(1)

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(one, first)
            group.start_soon(one, second)
    assert len(failures) == 2


async def test_a_child_that_needs_its_parent_is_infinite_recursion(evaluation: Evaluation) -> None:
    thunk: Thunk = []

    async def children() -> Value:
        return tuple(await force_all([thunk]))

    thunk += native(lambda _: running().suspend(children()))(0)
    with anyio.fail_after(60), pytest.raises(InfiniteRecursion):
        await evaluation.run(lambda: force(thunk))


async def test_a_cancelled_force_can_be_tried_again(evaluation: Evaluation) -> None:
    thunk = lazily(5)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await evaluation.run(lambda: force(thunk))
    assert scope.cancelled_caught
    assert await evaluation.run(lambda: force(thunk)) == 10


async def test_waiters_take_over_when_the_one_who_forces_is_cancelled(evaluation: Evaluation) -> None:
    thunk = lazily(5)
    results: list[Value] = []

    async def waiter() -> None:
        results.append(await evaluation.run(lambda: force(thunk)))

    async with anyio.create_task_group() as group:
        with anyio.CancelScope() as scope:
            group.start_soon(waiter)
            scope.deadline = anyio.current_time() + 0.0005
            await evaluation.run(lambda: force(thunk))
    assert results == [10]


async def test_a_million_nested_calls_fit(evaluation: Evaluation) -> None:
    def deep(levels: int) -> int:
        return 0 if levels == 0 else 1 + deep(levels - 1)

    assert await evaluation.run(lambda: deep(1_000_000)) == 1_000_000


async def test_a_fault_of_ours_is_an_internal_error(evaluation: Evaluation) -> None:
    def bug() -> Value:
        raise KeyError("lost")

    with pytest.raises(InternalError, match="please report"):
        await evaluation.run(bug)


async def test_awaiting_a_value_that_is_there_costs_no_frame(evaluation: Evaluation) -> None:
    async def three() -> Value:
        return (await await_force(1), await await_force([None, 2]), await await_force(lazily(3)))

    assert await evaluation.run(lambda: running().suspend(three())) == (1, 2, 6)


async def test_a_builtin_that_evaluates_what_waits_for_it_is_infinite_recursion(evaluation: Evaluation) -> None:
    thunk: Thunk = []

    async def evaluates() -> Value:
        return await evaluation.run(lambda: force(thunk))

    thunk += native(lambda _: running().suspend(evaluates()))(0)
    with anyio.fail_after(60), pytest.raises(InfiniteRecursion):
        await evaluation.run(lambda: force(thunk))


async def test_so_it_is_from_a_task_of_its_own(evaluation: Evaluation) -> None:
    thunk: Thunk = []

    async def evaluates() -> Value:
        async with anyio.create_task_group() as group:
            group.start_soon(evaluation.run, lambda: force(thunk))

    thunk += native(lambda _: running().suspend(evaluates()))(0)
    with anyio.fail_after(60), pytest.raises(InternalError) as caught:
        await evaluation.run(lambda: force(thunk))
    assert isinstance(caught.value.__cause__, ExceptionGroup)
    assert isinstance(caught.value.__cause__.exceptions[0], InfiniteRecursion)


async def test_an_evaluation_refuses_two_event_loops_at_once(evaluation: Evaluation) -> None:
    async def elsewhere() -> Value:
        with pytest.raises(RuntimeError, match="one event loop at a time"):
            await anyio.to_thread.run_sync(lambda: anyio.run(evaluation.run, lambda: 1))
        return 1

    assert await evaluation.run(lambda: running().suspend(elsewhere())) == 1
    assert await evaluation.run(lambda: 2) == 2
