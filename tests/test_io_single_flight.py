"""Single flight: one piece of work for many who ask, whoever of them is cancelled."""

from __future__ import annotations

import errno
import random

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from io_backends.single_flight import SingleFlight

pytestmark = pytest.mark.anyio


class Source:
    """Work that waits for a gate, and counts."""

    def __init__(self, error: Exception | None = None) -> None:
        self.gate = anyio.Event()
        self.begun = 0
        self.ended = 0
        self.error = error

    async def work(self) -> str:
        self.begun += 1
        await self.gate.wait()
        self.ended += 1
        if self.error is not None:
            raise self.error
        return f"result {self.begun}"


async def test_who_asks_meanwhile_is_given_the_same_result() -> None:
    flights, source = SingleFlight[str, str](), Source()
    results: list[str] = []

    async def ask() -> None:
        results.append(await flights.run("key", source.work))

    async with anyio.create_task_group() as group:
        for _ in range(100):
            group.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        assert len(flights) == source.begun == 1
        source.gate.set()
    assert results == ["result 1"] * 100
    assert len(flights) == 0


async def test_keys_do_not_wait_for_each_other() -> None:
    flights, slow, quick = SingleFlight[str, str](), Source(), Source()
    quick.gate.set()
    async with anyio.create_task_group() as group:
        group.start_soon(flights.run, "slow", slow.work)
        await anyio.wait_all_tasks_blocked()
        assert await flights.run("quick", quick.work) == "result 1"
        slow.gate.set()


async def test_nothing_is_kept() -> None:
    flights, source = SingleFlight[str, str](), Source()
    source.gate.set()
    assert [await flights.run("key", source.work) for _ in range(2)] == ["result 1", "result 2"]


async def test_an_error_is_given_to_all_each_with_its_own_copy() -> None:
    flights = SingleFlight[str, str]()
    source = Source(OSError(errno.EIO, "the disk", "/file"))
    errors: list[OSError] = []

    async def ask() -> None:
        with pytest.raises(OSError) as caught:
            await flights.run("key", source.work)
        errors.append(caught.value)

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        source.gate.set()
    assert source.begun == 1
    assert len({id(error) for error in errors}) == 3
    assert {(error.errno, error.strerror, error.filename) for error in errors} == {(errno.EIO, "the disk", "/file")}
    source.error = None
    assert await flights.run("key", source.work) == "result 2"


async def test_when_the_first_is_cancelled_another_takes_over() -> None:
    flights, source = SingleFlight[str, str](), Source()
    results: list[str] = []
    scopes = [anyio.CancelScope() for _ in range(4)]

    async def ask(scope: anyio.CancelScope) -> None:
        with scope:
            results.append(await flights.run("key", source.work))

    async with anyio.create_task_group() as group:
        for scope in scopes:
            group.start_soon(ask, scope)
            await anyio.wait_all_tasks_blocked()
        scopes[0].cancel()
        await anyio.wait_all_tasks_blocked()
        assert (len(flights), source.begun) == (1, 2)
        scopes[2].cancel()
        await anyio.wait_all_tasks_blocked()
        source.gate.set()
    assert results == [f"result {source.begun}"] * 2
    assert source.ended == 1


async def test_when_all_are_cancelled_the_key_is_free() -> None:
    flights, source = SingleFlight[str, str](), Source()
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(flights.run, "key", source.work)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
    assert len(flights) == 0
    source.gate.set()
    assert await flights.run("key", source.work)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 30), st.sampled_from(["asyncio", "trio"]))
def test_whoever_is_cancelled_when_the_others_are_answered(seed: int, loop: str) -> None:
    chance = random.Random(seed)
    cancelled = {index for index in range(20) if chance.random() < 0.5}
    answered: set[int] = set()
    flights = SingleFlight[int, int]()
    running: set[int] = set()

    async def work(key: int) -> int:
        assert key not in running
        running.add(key)
        try:
            for _ in range(chance.randrange(5)):
                await anyio.lowlevel.checkpoint()
            return key
        finally:
            running.discard(key)

    async def ask(index: int) -> None:
        key = index % 3
        with anyio.CancelScope() as scope:
            if index in cancelled:
                scope.cancel()
            for _ in range(chance.randrange(3)):
                await anyio.lowlevel.checkpoint()
            assert await flights.run(key, lambda: work(key)) == key
            answered.add(index)

    async def everyone() -> None:
        async with anyio.create_task_group() as group:
            for index in range(20):
                group.start_soon(ask, index)

    anyio.run(everyone, backend=loop)
    assert answered >= set(range(20)) - cancelled
    assert len(flights) == 0
