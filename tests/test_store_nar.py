"""The archive format: its bytes, and what counts for its hash."""

from __future__ import annotations

import errno
import hashlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

import aionix
from aionix.errors import FileError, InvalidHash
from aionix.io import FileReader, FileType
from aionix.store.hashes import SIZES
from aionix.store.nar import AHEAD, Filter, field, file_hash, nar_hash, write_nar
from aionix.store.paths import source_path
from io_backends import Executable, Memory, Symlink
from io_backends.memory import Node

pytestmark = pytest.mark.anyio


def fields(*words: bytes) -> bytes:
    return b"".join([field(word) for word in words])


async def archive(io: Memory, path: str, filter: Filter | None = None) -> bytes:
    pieces: list[bytes] = []

    async def keep(piece: bytes) -> None:
        pieces.append(piece)

    await write_nar(io, path, keep, filter)
    return b"".join(pieces)


async def test_a_file_is_its_contents_padded_to_eight_bytes() -> None:
    expected = fields(b"nix-archive-1", b"(", b"type", b"regular", b"contents", b"hello", b")")
    assert await archive(Memory({"f": "hello"}), "/f") == expected
    assert len(expected) % 8 == 0


async def test_the_execute_bit_counts() -> None:
    expected = fields(b"nix-archive-1", b"(", b"type", b"regular", b"executable", b"", b"contents", b"", b")")
    assert await archive(Memory({"f": Executable("")}), "/f") == expected


async def test_a_link_is_its_target_even_if_nothing_is_there() -> None:
    expected = fields(b"nix-archive-1", b"(", b"type", b"symlink", b"target", b"../nowhere", b")")
    assert await archive(Memory({"l": Symlink("../nowhere")}), "/l") == expected


async def test_entries_come_in_the_order_of_their_bytes() -> None:
    whole = await archive(Memory({"d": {"é": "", "b": "", "B": "", ".a": ""}}), "/d")
    places = [whole.index(field(name.encode()) + field(b"node")) for name in (".a", "B", "b", "é")]
    assert places == sorted(places)


async def test_a_directory_frames_its_entries() -> None:
    expected = fields(
        *(b"nix-archive-1", b"(", b"type", b"directory"),
        *(b"entry", b"(", b"name", b"e", b"node"),
        *(b"(", b"type", b"directory", b")", b")", b")"),
    )
    assert await archive(Memory({"d": {"e": {}}}), "/d") == expected


async def test_the_hash_is_that_of_the_archive() -> None:
    io = Memory({"d": {"a": b"\0" * 9_000_000, "b": {"c": Symlink("a")}}})
    assert await nar_hash(io, "/d") == sha256(await archive(io, "/d")).digest()


async def test_a_filter_sees_parents_first_and_prunes_them() -> None:
    asked: list[tuple[str, FileType]] = []

    async def without_b(path: str, kind: FileType) -> bool:
        asked.append((path, kind))
        return not path.endswith("/b")

    io = Memory({"d": {"a": {"x": ""}, "b": {"y": ""}, "c": Symlink("a")}})
    pruned = Memory({"d": {"a": {"x": ""}, "c": Symlink("a")}})
    assert await nar_hash(io, "/d", without_b) == await nar_hash(pruned, "/d")
    assert asked == [
        ("/d/a", FileType.DIRECTORY),
        ("/d/a/x", FileType.REGULAR),
        ("/d/b", FileType.DIRECTORY),
        ("/d/c", FileType.SYMLINK),
    ]


@pytest.mark.parametrize("path", ["/missing", "/f/below"])
async def test_what_is_not_there_cannot_be_archived(path: str) -> None:
    with pytest.raises(FileError, match=f"^path '{path}' does not exist$"):
        await nar_hash(Memory({"f": ""}), path)


class Devices(Memory):
    async def file_type(self, path: str) -> FileType:
        return FileType.UNKNOWN


async def test_devices_cannot_be_archived() -> None:
    with pytest.raises(FileError, match=r"^file '/null' has an unsupported type$"):
        await nar_hash(Devices({"null": ""}), "/null")


class Slow(Memory):
    """Answers late, and counts who waits at once."""

    waiting = most = 0

    async def late(self) -> None:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await anyio.sleep(0.002)
        self.waiting -= 1

    async def read(self, path: str) -> bytes:
        await self.late()
        return await super().read(path)

    async def read_dir(self, path: str) -> dict[str, FileType]:
        await self.late()
        return await super().read_dir(path)


TREE: dict[str, Node] = {
    f"d{number}": {f"f{file}": "x" * number * file for file in range(6)} | {"sub": {"g": Executable("")}}
    for number in range(12)
}


@pytest.mark.parametrize("filtered", [False, True])
async def test_what_comes_next_is_read_meanwhile_in_any_order_and_written_in_the_right_one(
    filtered: bool,
) -> None:
    async def all_of_it(path: str, kind: FileType) -> bool:
        return True

    slow = Slow({"d": TREE})
    assert await archive(slow, "/d", all_of_it if filtered else None) == await archive(Memory({"d": TREE}), "/d")
    assert 3 < slow.most <= AHEAD + 32


async def test_directories_inside_each_other_take_no_deep_stack() -> None:
    tree: dict[str, Node] = {"f": ""}
    for _ in range(150):
        tree = {"d": tree}
    assert await nar_hash(Memory(tree), "/d")


class Broken(Slow):
    """Whatever is called `bad` cannot be read, and says so at once; the rest answers late."""

    async def late(self) -> None:
        if not getattr(self, "hurry", False):
            await super().late()

    async def read(self, path: str) -> bytes:
        if "bad" in path:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return await super().read(path)


async def test_of_two_errors_the_first_in_order_is_told_however_late_it_comes() -> None:
    io = Broken({"d": {"a": {"x": "", "z-bad": ""}, "b": {"bad": ""}, "c": ""}})
    with pytest.raises(FileError, match=r"^opening file '/d/a/z-bad': Permission denied$"):
        await nar_hash(io, "/d")


async def test_an_error_of_the_filter_waits_for_what_comes_before_it() -> None:
    async def afraid(path: str, kind: FileType) -> bool:
        if path.endswith("/c"):
            raise InvalidHash("no c")
        return True

    with pytest.raises(FileError, match="opening file"):
        await nar_hash(Broken({"d": {"b-bad": "", "c": ""}}), "/d", afraid)
    with pytest.raises(InvalidHash, match="no c"):
        await nar_hash(Broken({"d": {"b": "", "c": "", "d-bad": ""}}), "/d", afraid)


async def test_nothing_is_read_that_the_filter_has_not_accepted() -> None:
    read: list[str] = []

    class Watched(Memory):
        async def read(self, path: str) -> bytes:
            read.append(path)
            return await super().read(path)

        async def read_dir(self, path: str) -> dict[str, FileType]:
            read.append(path)
            return await super().read_dir(path)

    async def some(path: str, kind: FileType) -> bool:
        await anyio.lowlevel.checkpoint()
        return "no" not in path

    await nar_hash(Watched({"d": {"a": "", "b-no": "", "c-no": {"x": ""}, "e": {"f": "", "no": ""}}}), "/d", some)
    assert sorted(read) == ["/d", "/d/a", "/d/e", "/d/e/f"]


async def test_the_filter_and_the_sink_are_awaited_in_the_callers_task() -> None:
    tasks = {anyio.get_current_task().id}

    async def watch(*_: object) -> bool:
        tasks.add(anyio.get_current_task().id)
        return True

    async def sink(piece: bytes) -> None:
        tasks.add(anyio.get_current_task().id)

    await write_nar(Memory({"d": TREE}), "/d", sink, watch)
    assert len(tasks) == 1


async def test_a_cancelled_walk_stops_at_once_and_leaves_no_task() -> None:
    class Stuck(Memory):
        async def read(self, path: str) -> bytes:
            await anyio.sleep_forever()
            return b""

    with anyio.move_on_after(0.02) as scope:
        await nar_hash(Stuck({"d": TREE}), "/d")
    assert scope.cancelled_caught


async def test_a_sink_that_fails_ends_the_walk_with_its_own_error() -> None:
    async def full(piece: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        await write_nar(Memory({"d": TREE}), "/d", full)


class Lying(Memory):
    """Says that a file has `size` bytes."""

    size = 0

    @asynccontextmanager
    async def open(self, path: str) -> AsyncIterator[FileReader]:
        async with super().open(path) as file:
            yield Claimed(file, self.size)


class Claimed:
    def __init__(self, file: FileReader, size: int) -> None:
        self.file = file
        self.size = size

    async def read(self, count: int) -> bytes:
        return await self.file.read(count)


@pytest.mark.parametrize("path", ["/d/f", "/d"])
async def test_a_file_must_have_as_many_bytes_as_it_said(path: str) -> None:
    io = Lying({"d": {"f": "12345"}})
    io.size = 5
    assert await nar_hash(io, path) == await nar_hash(Memory({"d": {"f": "12345"}}), path)
    io.size = 6
    with pytest.raises(FileError, match=r"^unexpected end-of-file reading '/d/f'$"):
        await nar_hash(io, path)
    io.size = 4
    with pytest.raises(FileError, match=r"^file '/d/f' has more bytes than its size says$"):
        await nar_hash(io, path)
    with pytest.raises(FileError, match="more bytes"):
        await file_hash(io, "/d/f", "sha256")


@pytest.mark.parametrize("algorithm", sorted(SIZES))
async def test_any_algorithm_may_take_the_digest(algorithm: str) -> None:
    io = Memory({"d": {"f": b"contents" * 300_000}, "l": Symlink("d/f")})
    assert await nar_hash(io, "/d", algorithm=algorithm) == hashlib.new(algorithm, await archive(io, "/d")).digest()
    assert await file_hash(io, "/l", algorithm) == hashlib.new(algorithm, b"contents" * 300_000).digest()


async def test_a_flat_hash_needs_a_file() -> None:
    with pytest.raises(FileError, match=r"^opening file '/d': Is a directory$"):
        await file_hash(Memory({"d": {}}), "/d", "sha256")
    with pytest.raises(FileError, match=r"^opening file '/x': No such file or directory$"):
        await file_hash(Memory({"d": {}}), "/x", "sha256")


async def test_a_large_file_never_keeps_the_event_loop() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        group.start_soon(count)
        await nar_hash(Memory({"f": bytes(20 << 20)}), "/f")
        group.cancel_scope.cancel()
    assert turns > 10  # of some twenty pieces


BIG = """
import anyio, re, sys
from aionix.store.nar import nar_hash
from io_backends import LocalDisk
print(anyio.run(nar_hash, LocalDisk(), sys.argv[1]).hex())
# Not getrusage: its peak is that of the process before it became this program.
print(int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) // 1024)
"""


@pytest.mark.skipif(not os.environ.get("AIONIX_SLOW_TESTS"), reason="needs AIONIX_SLOW_TESTS")
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs Linux")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_two_gigabytes_are_hashed_in_a_fraction_of_that_memory(tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(2 << 30)
    run = await anyio.run_process([sys.executable, "-c", BIG, str(tmp_path / "big")], env={**os.environ})
    digest, megabytes = run.stdout.split()
    assert digest == b"7f029f266071c2ff711f76c1cd27c7a95b0257891ecc3fc1a6613452bc2aac20"
    assert int(megabytes) < 200


async def test_a_filter_of_nix_code_may_read_files_itself() -> None:
    io = Slow({"d": {"a": {"keep": "yes", "drop": "no"}, "b": "yes", "c": "no"}})
    keep = 'path: type: type == "directory" || builtins.readFile path == "yes"'
    evaluation = aionix.Evaluation.builder(io).build()
    result = await evaluation.evaluate(f"builtins.filterSource ({keep}) /d")
    kept = Memory({"d": {"a": {"keep": "yes"}, "b": "yes"}})
    assert result.unwrap().to_python() == source_path("d", await nar_hash(kept, "/d"))
    result = await evaluation.evaluate('builtins.filterSource (path: type: throw "no ${path}") /d')
    assert [error.message for error in result.errors] == ["no /d/a"]
