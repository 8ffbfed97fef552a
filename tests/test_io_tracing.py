"""Tracing counts, and changes nothing; so does the wrapper that it is built on."""

from __future__ import annotations

import errno
from itertools import count
from pathlib import Path

import anyio
import pytest
from test_io_contract import write_tree

from aionix.io import EvalIO, FileType
from io_backends import LocalDisk, Memory, Symlink, Tracing, contract
from io_backends.tracing import OTHER_PATHS, Calls
from io_backends.wrapper import Wrapper

pytestmark = pytest.mark.anyio

TREE = {"a.nix": "alpha", "d": {"big": "x" * 300_000, "l": Symlink("../a.nix")}}


@pytest.mark.parametrize("wrapper", [Wrapper, Tracing])
@pytest.mark.parametrize("check", contract.checks(), ids=str)
async def test_what_is_wrapped_keeps_the_contract(
    check: contract.Check, wrapper: type[Wrapper], tmp_path: Path
) -> None:
    await check(lambda tree: wrapper(Memory(tree)))
    write_tree(tmp_path, check.tree)
    await check(lambda tree: wrapper(LocalDisk(tmp_path)))


def test_a_wrapper_hands_on_every_method_there_is() -> None:
    methods = {name for name in vars(EvalIO) if not name.startswith("_")}
    assert [name for name in methods if getattr(Wrapper, name) is getattr(EvalIO, name)] == []


def ticking() -> Tracing:
    """Every look at the clock takes a millisecond, so every wait does."""
    ticks = count()
    return Tracing(Memory(TREE, env={"HOME": "/h"}), clock=lambda: next(ticks) / 1000)


async def test_calls_bytes_and_time_are_counted_by_method_and_path() -> None:
    tracing = ticking()
    for _ in range(2):
        await tracing.read("/a.nix")
    await tracing.file_type("/a.nix")
    with pytest.raises(FileNotFoundError):
        await tracing.read("/no")
    tracing.get_env("HOME")
    assert tracing.calls["read", "/a.nix"] == Calls(2, 0, 10, pytest.approx(0.002), pytest.approx(0.001))
    assert tracing.calls["read", "/no"] == Calls(1, 1, 0, pytest.approx(0.001), pytest.approx(0.001))
    assert {name: calls.count for name, calls in tracing.by_method.items()} == {"read": 3, "file_type": 1, "get_env": 1}
    assert {path: calls.count for path, calls in tracing.by_path.items()} == {"/a.nix": 3, "/no": 1}
    assert tracing.by_path["/a.nix"].longest == pytest.approx(0.001)


async def test_what_is_read_from_open_files_counts() -> None:
    tracing = ticking()
    async with tracing.open("/d/big") as file:
        assert file.size == 300_000
        while await file.read(100_000):
            assert tracing.in_flight == 0
    async with tracing.open_entry("/d/big") as entry:
        assert entry.file is not None
        await entry.file.read(7)
    async with tracing.open_entry("/d/l", FileType.SYMLINK) as entry:
        assert entry.file is None
    async with tracing.open_range("/a.nix", 1, 3) as file:
        assert await file.read(9) == b"lph"
    opened = tracing.calls["open", "/d/big"]
    assert (opened.count, opened.bytes, opened.seconds) == (1, 300_000, pytest.approx(0.005))
    assert {name: calls.bytes for name, calls in tracing.by_method.items()} == {
        "open": 300_000, "open_entry": 7, "open_range": 3,
    }  # fmt: skip


class Gated(Memory):
    """Nothing is read before the gate opens."""

    gate: anyio.Event

    async def read(self, path: str) -> bytes:
        await self.gate.wait()
        return await super().read(path)


async def test_the_most_calls_at_a_time_are_known_and_a_cancelled_one_is_an_error() -> None:
    gated = Gated(TREE)
    gated.gate = anyio.Event()
    tracing = Tracing(gated)
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(tracing.read, "/a.nix")
            await anyio.wait_all_tasks_blocked()
            assert tracing.in_flight == 5
            scope.cancel()
    gated.gate.set()
    await tracing.read("/a.nix")
    assert (tracing.in_flight, tracing.max_in_flight) == (0, 5)
    assert (tracing.calls["read", "/a.nix"].count, tracing.calls["read", "/a.nix"].errors) == (6, 5)


async def test_the_table_is_short_and_has_the_slowest_first() -> None:
    tracing = ticking()
    for path in ("/a.nix", "/d", "/a.nix", "/d/l"):
        await tracing.file_type(path)
    with pytest.raises(OSError):
        await tracing.read("/no\nline\udcff")
    assert tracing.table(2).splitlines() == [
        "   calls  errors        bytes   total ms    max ms",
        "       4       0            0        4.0       1.0  file_type",
        "       1       1            0        1.0       1.0  read",
        "",
        "       2       0            0        2.0       1.0  /a.nix",
        "       1       0            0        1.0       1.0  /d",
        "",
        "at most 1 at a time",
    ]
    assert r"/no\nline\udcff" in tracing.table()


async def test_there_is_an_end_to_what_is_kept() -> None:
    tracing = Tracing(Memory({}), max_paths=10)
    for number in range(100):
        assert not await tracing.path_exists(f"/{number}")
    assert len(tracing.calls) == 11
    assert tracing.calls["path_exists", OTHER_PATHS].count == 90


async def test_errors_are_those_of_the_backend() -> None:
    with pytest.raises(IsADirectoryError) as caught:
        await Tracing(Memory(TREE)).read("/d")
    assert (caught.value.errno, caught.value.filename) == (errno.EISDIR, "/d")
