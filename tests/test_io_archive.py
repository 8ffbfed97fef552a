"""Archives as backends: they keep the contract, and what is wrong with them is an OSError."""

from __future__ import annotations

import errno
import io
import os
import stat
import struct
import tarfile
import zipfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import anyio
import anyio.lowlevel
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from aionix.io import FileReader, FileType, Section
from aionix.store.nar import nar_hash
from io_backends import Archive, Executable, Memory, Symlink, contract
from io_backends.memory import Node

pytestmark = pytest.mark.anyio

Mode = Literal["w:", "w:gz", "w:bz2", "w:xz", "w:zst"]
MODES: list[Mode] = ["w:", "w:gz", "w:bz2", "w:xz", "w:zst"]


def packed_tar(tree: Mapping[str, Node], mode: Mode = "w:gz") -> bytes:
    """A tree of `Memory` as a tar."""
    if mode == "w:zst":
        return zstandard.compress(packed_tar(tree, "w:"))
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode, encoding="utf-8") as tar:
        for name, node in walk(tree):
            member = tarfile.TarInfo(name)
            body = content(node)
            if isinstance(node, Mapping):
                member.type = tarfile.DIRTYPE
            elif isinstance(node, Symlink):
                member.type = tarfile.SYMTYPE
                member.linkname = node.target
            else:
                member.size = len(body)
            member.mode = 0o755 if isinstance(node, Executable | Mapping) else 0o644
            tar.addfile(member, io.BytesIO(body))
    return data.getvalue()


def packed_zip(tree: Mapping[str, Node]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, node in walk(tree):
            member = zipfile.ZipInfo(name + "/" * isinstance(node, Mapping))
            kind = stat.S_IFLNK if isinstance(node, Symlink) else stat.S_IFREG
            member.external_attr = (kind | (0o755 if isinstance(node, Executable) else 0o644)) << 16
            member.create_system = 3
            body = node.target.encode() if isinstance(node, Symlink) else content(node)
            archive.writestr(member, body, zipfile.ZIP_DEFLATED)
    return data.getvalue()


def walk(tree: Mapping[str, Node], above: str = "") -> list[tuple[str, Node]]:
    found: list[tuple[str, Node]] = []
    for name, node in tree.items():
        found.append((above + name, node))
        if isinstance(node, Mapping):
            found += walk(node, f"{above}{name}/")
    return found


def content(node: Node) -> bytes:
    if isinstance(node, Mapping | Symlink):
        return b""
    text = node.content if isinstance(node, Executable) else node
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text


@pytest.mark.parametrize("mode", ["w:", "w:gz", "w:zst"])
@pytest.mark.parametrize("check", contract.checks(), ids=str)
async def test_tars_keep_the_contract(check: contract.Check, mode: Mode) -> None:
    await check(lambda tree: Archive(packed_tar(tree, mode)))


@pytest.mark.parametrize("check", contract.checks(without={"byte names"}), ids=str)
async def test_zips_keep_the_contract(check: contract.Check) -> None:
    await check(lambda tree: Archive(packed_zip(tree)))


@pytest.mark.parametrize("packed", [lambda tree: packed_tar(tree, "w:"), packed_tar, packed_zip])
async def test_a_path_of_this_machine_is_as_good_as_bytes(
    tmp_path: Path, packed: Callable[[Mapping[str, Node]], bytes]
) -> None:
    tree: dict[str, Node] = {"a": {"b": "x" * 400_000, "c": Executable("y"), "l": Symlink("b")}}
    (tmp_path / "it").write_bytes(packed(tree))
    archive = Archive(tmp_path / "it")
    assert await nar_hash(archive, "/a") == await nar_hash(Memory(tree), "/a")
    assert await archive.read("/a/l") == b"x" * 400_000


class Counted(Memory):
    """Counts what is fetched, and may fail first."""

    def __init__(self, tree: Mapping[str, Node], failures: int = 0) -> None:
        super().__init__(tree)
        self.failures = failures
        self.opened = 0

    async def read(self, path: str) -> bytes:
        self.opened += 1
        await anyio.lowlevel.checkpoint()
        if self.opened <= self.failures:
            raise TimeoutError(errno.ETIMEDOUT, "the server says nothing", path)
        return await super().read(path)


@pytest.mark.parametrize("check", contract.checks(), ids=str)
async def test_archives_in_another_backend_keep_the_contract(check: contract.Check) -> None:
    await check(lambda tree: Archive("/d/it", io=Memory({"d": {"it": packed_tar(tree, "w:xz")}})))


async def test_an_archive_elsewhere_is_fetched_once() -> None:
    elsewhere = Counted({"it": packed_tar({"f": "x" * 3_000_000, "g": "y"})})
    archive = Archive("/it", io=elsewhere)
    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(archive.read, "/f")
    assert await archive.read("/g") == b"y"
    assert elsewhere.opened == 1


async def test_a_failure_to_fetch_is_told_and_not_kept() -> None:
    archive = Archive("/it", io=Counted({"it": packed_tar({"f": "x"})}, failures=2))
    for _ in range(2):
        with pytest.raises(TimeoutError, match=r"the server says nothing \(the archive '/it'\)") as caught:
            await archive.read("/f")
        assert caught.value.filename == "/f"
    assert await archive.read("/f") == b"x"


async def test_what_is_fetched_is_bounded() -> None:
    data = packed_tar({"f": bytes(100_000)}, "w:")
    with pytest.raises(OSError, match="more than 90000 bytes") as caught:
        await Archive("/it", io=Memory({"it": data}), max_size=90_000).read_dir("/")
    assert caught.value.errno == errno.EFBIG


class Liar(Memory):
    """Says that its files are twice as large as they are."""

    @asynccontextmanager
    async def open(self, path: str) -> AsyncIterator[FileReader]:
        async with super().open(path) as file:
            yield Section(file, 2 * file.size)


async def test_an_archive_that_did_not_come_whole_is_refused() -> None:
    archive = Archive("/it", io=Liar({"it": packed_tar({"f": "x"}, "w:")}))
    with pytest.raises(OSError, match="10240 bytes came instead of 20480"):
        await archive.read("/f")


async def test_an_archive_may_lie_in_an_archive() -> None:
    inner = packed_zip({"sub": {"f": "deep"}})
    archive = Archive("/a/in.zip", io=Archive(packed_tar({"a": {"in.zip": inner}}, "w:zst")))
    assert await archive.read("/sub/f") == b"deep"


@pytest.mark.parametrize("mode", ["w:", "w:xz"])
async def test_what_it_keeps_on_the_disk_is_closed_with_it(mode: Mode) -> None:
    before = len(os.listdir("/dev/fd"))
    io = Memory({"it": packed_tar({"f": "x" * 300_000}, mode)})
    async with Archive("/it", io=io) as archive, archive.open("/f") as file:
        assert await file.read(5) == b"xxxxx"
    assert len(os.listdir("/dev/fd")) <= before  # an earlier test's may have gone meanwhile
    with pytest.raises(OSError, match="closed file"):
        await archive.read("/f")


def tar_of(*members: tarfile.TarInfo | str, size: int = 0) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:") as tar:
        for member in members:
            member = tarfile.TarInfo(member) if isinstance(member, str) else member
            member.size = size
            tar.addfile(member, io.BytesIO(bytes(size)))
    return data.getvalue()


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = kind
    made.linkname = target
    return made


def hard_link(name: str, target: str) -> tarfile.TarInfo:
    return member(name, tarfile.LNKTYPE, target)


async def refused(archive: Archive, *words: str) -> None:
    """Every look fails, and says why."""
    for _ in range(2):
        with pytest.raises(OSError) as caught:
            await archive.read_dir("/")
        assert caught.value.errno == errno.EINVAL
        assert all(word in str(caught.value) for word in ("not a sound archive", *words))


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", "a/../../b", ".."])
async def test_names_that_lead_out_are_refused(name: str) -> None:
    await refused(Archive(tar_of("fine", name)), name, "not allowed")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), "")
    await refused(Archive(data.getvalue()), name, "not allowed")


async def test_dots_and_doubled_slashes_in_names_mean_nothing() -> None:
    archive = Archive(tar_of("./a//b", member("./", tarfile.DIRTYPE), "./c/./d"))
    assert await archive.read_dir("/") == {"a": FileType.DIRECTORY, "c": FileType.DIRECTORY}
    assert await archive.read("/a/b") == await archive.read("/c/d") == b""


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        (["a", "a/b"], "in something that is no directory"),
        ([member("a", tarfile.SYMTYPE, "/etc"), "a/b"], "in something that is no directory"),
        (["a/b", "a"], "is a directory, too"),
        ([hard_link("a", "b"), "b"], "which is no file"),
        (["d/f", hard_link("a", "d")], "which is no file"),
        ([hard_link("a", "../b")], "not allowed"),
        (["a" * 5000], "too long"),
        ([member("l", tarfile.SYMTYPE, "t" * 5000)], "target of the link"),
        ([f"f{number}" for number in range(11)], "more than 10 entries"),
        (["a/" * 12 + "b"], "more than 10 entries"),
    ],
)
async def test_trees_that_no_disk_has_are_refused(
    members: list[tarfile.TarInfo | str], problem: str
) -> None:
    await refused(Archive(tar_of(*members), max_entries=10), problem)


async def test_the_last_of_two_members_counts() -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:") as tar:
        for body in (b"old", b"new!"):
            entry = tarfile.TarInfo("f")
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
    assert await Archive(data.getvalue()).read("/f") == b"new!"


async def test_hard_links_are_the_same_file() -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:") as tar:
        entry = tarfile.TarInfo("d/f")
        entry.size, entry.mode = 5, 0o755
        tar.addfile(entry, io.BytesIO(b"hello"))
        tar.addfile(hard_link("g", "d/f"))
    archive = Archive(data.getvalue())
    assert await archive.read("/g") == b"hello"
    assert await archive.is_executable("/g")


async def test_devices_are_seen_but_not_read() -> None:
    archive = Archive(tar_of(member("null", tarfile.CHRTYPE), member("pipe", tarfile.FIFOTYPE)))
    assert await archive.read_dir("/") == {"null": FileType.UNKNOWN, "pipe": FileType.UNKNOWN}
    with pytest.raises(OSError, match="not a regular file"):
        await archive.read("/null")


@pytest.mark.parametrize("packed", [packed_zip, lambda tree: packed_tar(tree, "w:")])
async def test_a_bomb_is_not_inflated(packed: Callable[[Mapping[str, Node]], bytes]) -> None:
    archive = Archive(packed({"bomb": bytes(5_000_000), "f": "x"}), max_file_size=1_000_000)
    for look in (archive.read("/bomb"), piece(archive)):
        with pytest.raises(OSError) as caught:
            await look
        assert caught.value.errno == errno.EFBIG
    assert await archive.read("/f") == b"x"


async def piece(archive: Archive) -> bytes:
    async with archive.open("/bomb") as file:
        return await file.read(1)


@pytest.mark.parametrize("mode", ["w:gz", "w:zst"])
async def test_what_becomes_far_larger_is_a_bomb(mode: Mode) -> None:
    archive = Archive(packed_tar({"bomb": bytes(70 << 20)}, mode))
    with pytest.raises(OSError, match="more than 200 times its size") as caught:
        await archive.read_dir("/")
    assert caught.value.errno == errno.EFBIG


@pytest.mark.parametrize("mode", MODES[1:])
async def test_a_compressed_tar_is_inflated_up_to_the_limit(mode: Mode) -> None:
    archive = Archive(packed_tar({"bomb": bytes(5_000_000)}, mode), max_size=1_000_000)
    with pytest.raises(OSError) as caught:
        await archive.read_dir("/")
    assert caught.value.errno == errno.EFBIG


async def test_a_zip_that_lies_about_a_size_is_noticed() -> None:
    data = bytearray(packed_zip({"f": "x" * 1000}))
    at = data.index(b"PK\1\2") + 24
    data[at : at + 4] = (500).to_bytes(4, "little")
    with pytest.raises(OSError, match="not a sound archive"):
        await Archive(bytes(data)).read("/f")


def zip_of_headers(*headers: bytes, size: int | None = None) -> bytes:
    """A list of members without the members. At its end it says that there is one."""
    listed = b"".join(headers)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(listed) if size is None else size, 0, 0)
    return listed + end


def zip_header(name: bytes = b"a", comment: int = 0) -> bytes:
    return struct.pack("<4s24x3H12x", b"PK\1\2", len(name), 0, comment) + name + bytes(comment)


async def test_a_list_of_members_without_end_is_not_taken_into_memory() -> None:
    await refused(Archive(zip_of_headers(*[zip_header()] * 11), max_entries=10), "more than 10 entries")
    large = Archive(zip_of_headers(*[zip_header(comment=65_000)] * 300), max_entries=300)
    await refused(large, "its list of members has 19514100 bytes")
    await refused(Archive(zip_of_headers(zip_header(), size=1 << 20)))
    await refused(Archive(zip_of_headers(zip_header()[:-9])))
    assert set(await Archive(zip_of_headers(*[zip_header()] * 10), max_entries=10).read_dir("/")) == {"a"}


async def test_what_is_cut_off_is_noticed() -> None:
    for mode in MODES[1:]:
        await refused(Archive(packed_tar({"f": "x" * 90_000}, mode)[:-5]))
    archive = Archive(packed_tar({"f": b"x" * 300_000}, "w:")[:100_000])
    with pytest.raises(OSError, match="not a sound archive"):
        await archive.read("/f")


@pytest.mark.parametrize("data", [b"", b"text", b"PK", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", bytes(512)])
async def test_what_is_no_archive_is_refused(data: bytes) -> None:
    archive = Archive(data)
    try:
        assert await archive.read_dir("/") == {}
        assert data == bytes(512)
    except OSError as error:
        assert "not a sound archive" in str(error)


@pytest.mark.parametrize("archive", [Archive("/no/such.tar"), Archive("/such.tar", io=Memory({}))])
async def test_an_archive_that_is_not_there_is_no_missing_file(archive: Archive) -> None:
    for look in (archive.read("/f"), archive.path_exists("/f")):
        with pytest.raises(OSError, match=r"No such file .* \(the archive '.*/such.tar'\)") as caught:
            await look
        assert caught.value.errno == errno.ENXIO


async def test_headers_that_nest_without_end_are_refused() -> None:
    long_name = tarfile.TarInfo("././@LongLink")
    long_name.type, long_name.size = tarfile.GNUTYPE_LONGNAME, 1
    await refused(Archive((long_name.tobuf() + bytes(512)) * 5000))


SAMPLES = [
    pack({"a": {"b": "text", "l": Symlink("b")}, "c": Executable("x" * 900)})
    for pack in (
        packed_tar,
        packed_zip,
        lambda tree: packed_tar(tree, "w:"),
        lambda tree: packed_tar(tree, "w:zst"),
    )
]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=9)), min_size=1, max_size=3),
)
def test_changed_bytes_are_read_or_refused(data: bytes, changes: list[tuple[int, bytes]]) -> None:
    for at, new in changes:
        at %= len(data)
        data = data[:at] + new + data[at + len(new) :]

    async def look() -> None:
        archive = Archive(data, max_file_size=1 << 20)
        for name, kind in (await archive.read_dir("/")).items():
            if kind is FileType.REGULAR:
                await archive.read(f"/{name}")

    try:
        anyio.run(look)
    except OSError as error:
        assert error.errno
