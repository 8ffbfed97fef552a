"""The archive format: its bytes, and what counts for its hash."""

from __future__ import annotations

from hashlib import sha256

import pytest

from aionix.errors import FileError
from aionix.io import FileType
from aionix.store.nar import field, nar_hash, nar_pieces
from io_backends import Executable, Memory, Symlink

pytestmark = pytest.mark.anyio


def fields(*words: bytes) -> bytes:
    return b"".join([field(word) for word in words])


async def archive(io: Memory, path: str) -> bytes:
    return b"".join([piece async for piece in nar_pieces(io, path)])


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
