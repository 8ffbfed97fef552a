"""The collector's thresholds are raised while evaluations run, and only then."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator

import anyio
import pytest

import aionix
from aionix.vm.collector import YOUNG

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*before)


async def seen(change: int | None = None) -> int:
    @aionix.builtin
    def look(_: object) -> int:
        if change is not None:
            gc.set_threshold(change)
        return gc.get_threshold()[0]

    value = await aionix.evaluate("look 1", look=look)
    return int(str(value))


async def test_they_are_raised_for_the_time_of_an_evaluation() -> None:
    assert await seen() == YOUNG
    assert gc.get_threshold() == (700, 10, 10)


async def test_several_evaluations_restore_them_once() -> None:
    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(seen)
    assert gc.get_threshold() == (700, 10, 10)


async def test_an_error_restores_them() -> None:
    with pytest.raises(aionix.NixError):
        await aionix.evaluate("throw 1")
    assert gc.get_threshold() == (700, 10, 10)


@pytest.mark.parametrize("own", [0, YOUNG * 2])
async def test_a_program_with_its_own_settings_keeps_them(own: int) -> None:
    gc.set_threshold(own)
    assert await seen() == own
    assert gc.get_threshold()[0] == own


async def test_what_is_set_meanwhile_stays() -> None:
    await seen(change=1234)
    assert gc.get_threshold()[0] == 1234


PROGRAM = """
import gc, weakref
from aionix.vm import collector

class Cycle: pass

def cycle():
    made = Cycle()
    made.itself = made
    return weakref.ref(made)

collector.FIRST = 10_000
collector.spare_the_first()
kept = [[] for _ in range(9_000)]
early = cycle()
kept += [[] for _ in range(2_000)]
print(gc.get_threshold() == (collector.YOUNG, collector.LOOKS, 10), early() is not None)
late = cycle()
kept += [[] for _ in range(collector.YOUNG)]
print(late() is None)
"""


def test_what_a_program_has_made_before_the_first_look_stays() -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["True"] * 3
