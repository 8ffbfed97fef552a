"""What can be written to: a file is there as a whole or not at all, and nothing is written outside."""

from __future__ import annotations

import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_io_links import PATHS, TARGETS, sights

from aionix.io import EvalIO, FileType, WritableIO
from io_backends import LocalDisk, Memory, Recording, Replay, WritableDisk, WritableMemory, contract
from io_backends.memory import Executable, Node, Symlink

pytestmark = pytest.mark.anyio


async def written(io: WritableMemory | WritableDisk, tree: contract.Tree, above: str = "") -> EvalIO:
    """A tree of `Memory`, written to `io`."""
    await io.make_directory(above or "/")
    for name, node in tree.items():
        path = f"{above}/{name}"
        if isinstance(node, Symlink):
            await io.symlink(path, node.target)
        elif isinstance(node, str | bytes | Executable):
            content = node.content if isinstance(node, Executable) else node
            data = content.encode() if isinstance(content, str) else content
            await io.write_file(path, data, executable=isinstance(node, Executable))
        else:
            await written(io, node, path)
    return io


@pytest.mark.parametrize("check", contract.checks(), ids=str)
async def test_what_was_written_keeps_the_contract(check: contract.Check, tmp_path: Path) -> None:
    await check(lambda tree: written(WritableMemory(), tree))
    await check(lambda tree: written(WritableDisk(tmp_path / "new" / "root"), tree))


@pytest.fixture(params=["memory", "disk"])
def io(request: pytest.FixtureRequest, tmp_path: Path) -> WritableMemory | WritableDisk:
    if request.param == "memory":
        return WritableMemory()
    (tmp_path / "root").mkdir()
    return WritableDisk(tmp_path / "root")


async def test_files_and_links_are_replaced_directories_are_not(io: WritableMemory | WritableDisk) -> None:
    await io.make_directory("/d/e")
    await io.write_file("/d/f", b"1", executable=True)
    await io.write_file("/d/f", b"2")
    assert (await io.read("/d/f"), await io.is_executable("/d/f")) == (b"2", False)
    await io.symlink("/d/l", "f")
    await io.symlink("/d/l", "e")
    assert await io.read_link("/d/l") == "e"
    await io.write_file("/d/l", b"3")
    assert (await io.file_type("/d/l"), await io.read("/d/f")) == (FileType.REGULAR, b"2")
    for call in (io.write_file("/d", b""), io.write_file("/", b""), io.symlink("/d/e", "x")):
        with pytest.raises(IsADirectoryError):
            await call
    for call in (io.write_file("/no/f", b""), io.symlink("/no/l", "x")):
        with pytest.raises(FileNotFoundError) as caught:
            await call
        assert caught.value.filename in ("/no/f", "/no/l", "/no")
    for call in (io.write_file("/d/f/x", b""), io.make_directory("/d/f"), io.make_directory("/d/f/x")):
        with pytest.raises(NotADirectoryError):
            await call
    assert set(await io.read_dir("/d")) == {"e", "f", "l"}


async def test_directories_are_made_through_links_inside(io: WritableMemory | WritableDisk) -> None:
    await io.make_directory("/real")
    await io.symlink("/link", "real")
    await io.make_directory("/link/below/deep")
    await io.write_file("/link/below/f", b"x")
    assert await io.read("/real/below/f") == b"x"
    await io.make_directory("/link")
    await io.symlink("/gone", "nothing")
    with pytest.raises(FileNotFoundError):
        await io.make_directory("/gone")


Act = Callable[[WritableIO], Awaitable[None]]


@pytest.mark.parametrize("target", ["../outside", "{o}", "sub/../../outside", "../outside/../outside", "/proc/self/root{o}"])
@pytest.mark.parametrize(
    "act",
    [
        lambda io: io.write_file("/out/f", b"x"), lambda io: io.write_file("/out/victim", b"x"), lambda io: io.symlink("/out/l", "x"),
        lambda io: io.make_directory("/out/d"), lambda io: io.write_file("/out", b"x"), lambda io: io.write_file("/../outside/f", b"x"),
        lambda io: io.write_file("/victim", b"x"), lambda io: io.make_directory("/../outside/d"),
    ],
)  # fmt: skip
async def test_nothing_is_written_outside(tmp_path: Path, target: str, act: Act) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "sub").mkdir(parents=True)
    outside.mkdir()
    (outside / "victim").write_text("untouched")
    (root / "out").symlink_to(target.format(o=outside))
    (root / "victim").symlink_to(outside / "victim")
    try:
        await act(WritableDisk(root))
    except OSError as error:
        assert str(tmp_path) not in str(error)
    assert (os.listdir(outside), (outside / "victim").read_text()) == (["victim"], "untouched")
    assert sorted(os.listdir(tmp_path)) == ["outside", "root"]


async def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    disk = WritableDisk(tmp_path)
    await disk.make_directory("/d")
    for call in (disk.write_file("/d", b"x"), disk.write_file("/" + "n" * 300, b"x"), disk.symlink("/l", "t" * 5000)):
        with pytest.raises(OSError):
            await call
    assert os.listdir(tmp_path) == ["d"]


async def test_who_reads_meanwhile_sees_the_old_file_or_the_new(tmp_path: Path) -> None:
    disk = WritableDisk(tmp_path)
    versions = [bytes([65 + number]) * 100_000 for number in range(10)]
    await disk.write_file("/f", versions[0])
    seen = set()
    done = anyio.Event()

    async def read() -> None:
        while not done.is_set():
            seen.add(await disk.read("/f"))

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        for version in versions:
            await disk.write_file("/f", version)
        done.set()
    assert seen <= set(versions)


def test_the_umask_decides_who_may_read(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        anyio.run(lambda: written(WritableDisk(tmp_path), {"f": "", "x": Executable("")}))
    finally:
        os.umask(old)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {"f": 0o640, "x": 0o750}


async def test_a_recording_is_written_wherever_there_is_room(io: WritableMemory | WritableDisk) -> None:
    recording = Recording(Memory({"a": "1"}))
    await recording.read("/a")
    await io.write_file("/fault.jsonl", recording.dump())
    assert await Replay(await io.read("/fault.jsonl")).read("/a") == b"1"


ACTS = st.one_of(
    st.tuples(st.just("file"), PATHS, st.sampled_from(["1", "2"])),
    st.tuples(st.just("link"), PATHS, TARGETS),
    st.tuples(st.just("directory"), PATHS, st.just("")),
)


async def done(io: WritableMemory | WritableDisk, acts: list[tuple[str, str, str]]) -> list[object]:
    results: list[object] = []
    for act, path, text in acts:
        try:
            if act == "file":
                await io.write_file(path, text.encode())
            elif act == "link":
                await io.symlink(path, text)
            else:
                await io.make_directory(path)
            results.append("done")
        except OSError as error:
            results.append(error.errno)
    return results


@settings(max_examples=100, deadline=None)
@given(st.lists(ACTS, max_size=12), st.lists(PATHS, max_size=5))
def test_memory_and_the_disk_agree(acts: list[tuple[str, str, str]], paths: list[str]) -> None:
    async def compare(root: str) -> None:
        memory, disk = WritableMemory(), WritableDisk(root)
        assert await done(memory, acts) == await done(disk, acts)
        for path in paths:
            assert await sights(memory, path) == await sights(LocalDisk(root), path)
        await check_tree(memory.tree, disk, "/")

    with TemporaryDirectory() as root:
        anyio.run(compare, root)


async def check_tree(tree: dict[str, Node], disk: EvalIO, path: str) -> None:
    assert set(await disk.read_dir(path)) == set(tree)
    for name, node in tree.items():
        if isinstance(node, dict):
            await check_tree(node, disk, f"{path.rstrip('/')}/{name}")
