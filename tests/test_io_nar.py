"""NARs as backends: what was written is read back, and what Nix could not have written is refused."""

from __future__ import annotations

import errno
from pathlib import Path

import anyio
import pytest
from caches import PACKERS, packed_nar
from hypothesis import given, settings
from hypothesis import strategies as st
from same_tree import TREE, evaluates_as_in_memory
from servers import Files, serve

from aionix.io import EvalIO, FileType
from aionix.store.nar import field, nar_hash, write_nar
from io_backends import Executable, Http, LocalDisk, Memory, Nar, Symlink, contract
from io_backends.memory import Node

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("compression", ["none", "xz"])
@pytest.mark.parametrize("check", contract.checks(), ids=str)
async def test_nars_keep_the_contract(check: contract.Check, compression: str) -> None:
    async def make(tree: contract.Tree) -> Nar:
        return Nar(PACKERS[compression](await packed_nar(tree)))

    await check(make)


@pytest.mark.parametrize("compression", PACKERS)
async def test_every_compression_is_known_by_its_first_bytes(compression: str) -> None:
    packed = PACKERS[compression](await packed_nar(TREE))
    await evaluates_as_in_memory(Nar(packed), TREE)


async def test_a_nar_may_lie_on_the_disk_or_in_another_backend(tmp_path: Path) -> None:
    data = PACKERS["zstd"](await packed_nar(TREE))
    (tmp_path / "it").write_bytes(data)
    for nar in (
        Nar(tmp_path / "it"),
        Nar("/it", io=LocalDisk(tmp_path)),
        Nar("/a/it", io=Memory({"a": {"it": data}})),
    ):
        async with nar:
            await evaluates_as_in_memory(nar, TREE)


async def test_a_nar_on_a_server_is_requested_once() -> None:
    async with serve(Files({"x.nar": await packed_nar(TREE)})) as server, Http(server.url) as http:
        nar = Nar("/x.nar", io=http)
        async with anyio.create_task_group() as group:
            for path in ("/default.nix", "/src/run", "/src/data/large"):
                group.start_soon(nar.read, path)
        assert sum([kind.method == "GET" for kind in server.requests]) <= 2
    assert await nar.read("/src/run") == b"#!/bin/sh\n"  # it is here, the server is not


async def test_a_nar_may_be_a_file_or_a_link() -> None:
    file = Nar(await packed_nar(Executable("x" * 300_000)))
    assert await file.read("/") == b"x" * 300_000
    assert await file.file_type("/") is FileType.REGULAR
    assert await file.is_executable("/")
    with pytest.raises(NotADirectoryError):
        await file.read_dir("/")
    with pytest.raises(NotADirectoryError):
        await file.read("/x")
    link = Nar(await packed_nar(Symlink("/gone")))
    assert await link.file_type("/") is FileType.SYMLINK
    assert await link.read_link("/") == "/gone"


names = st.binary(min_size=1, max_size=9).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
names = names.filter(lambda name: not {"/", "\0"} & {*name} and name not in (".", ".."))
targets = st.text(st.characters(blacklist_characters="\0", codec="utf-8"), min_size=1, max_size=20)
contents = st.binary(max_size=30)
leaves: st.SearchStrategy[Node] = st.one_of(contents, contents.map(Executable), targets.map(Symlink))
trees = st.recursive(leaves, lambda below: st.dictionaries(names, below, max_size=5), max_leaves=12)


async def tree_at(io: EvalIO, path: str) -> Node:
    kind = await io.file_type(path)
    if kind is FileType.DIRECTORY:
        return {name: await tree_at(io, f"{path.rstrip('/')}/{name}") for name in await io.read_dir(path)}
    if kind is FileType.SYMLINK:
        return Symlink(await io.read_link(path))
    content = await io.read(path)
    return Executable(content) if await io.is_executable(path) else content


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(names, trees, max_size=4), st.sampled_from(sorted(PACKERS)))
def test_any_tree_written_as_a_nar_reads_back_equal(tree: Node, compression: str) -> None:
    async def look() -> None:
        data = await packed_nar(tree)
        nar = Nar(PACKERS[compression](data))
        assert await tree_at(nar, "/") == tree
        again: list[bytes] = []

        async def keep(piece: bytes) -> None:
            again.append(piece)

        await write_nar(nar, "/", keep)
        assert b"".join(again) == data

    anyio.run(look)


async def test_it_has_the_hash_of_the_tree() -> None:
    assert await nar_hash(Nar(await packed_nar(TREE)), "/src") == await nar_hash(Memory(TREE), "/src")


def fields(*words: str) -> bytes:
    return b"".join([field(word.encode()) for word in words])


def entry(name: str) -> tuple[str, ...]:
    return ("entry", "(", "name", name, "node", "(", "type", "regular", "contents", "", ")", ")")


HEAD = ("nix-archive-1", "(", "type")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (fields(*HEAD, "directory", *entry(".."), ")"), "invalid file name"),
        (fields(*HEAD, "directory", *entry("a/b"), ")"), "invalid file name"),
        (fields(*HEAD, "directory", *entry("b"), *entry("a"), ")"), "not sorted"),
        (fields(*HEAD, "directory", *entry("a"), *entry("a"), ")"), "not sorted"),
        (fields(*HEAD, "directory", *[word for n in range(11) for word in entry(f"{n:02}")], ")"), "more than 10"),
        (fields(*HEAD, "fifo", ")"), "unknown file type"),
        (fields(*HEAD, "symlink", "target", "t" * 5000, ")"), "too long"),
        (fields(*HEAD, "regular", "contents") + (1 << 60).to_bytes(8, "little"), "unexpected end-of-file"),
        (fields(*HEAD, "regular", "contents", "x", ")").replace(b"x\0", b"x\1"), "non-zero padding"),
        (fields(*HEAD, "regular", "contents", "x", ")") + b"\0", "after its end"),
        (b"", "unexpected end-of-file"),
        (b"\xfd7zXZ\0", "ends too early"),
        (b"text of no archive at all", "too long"),
    ],
)
async def test_what_nix_could_not_have_written_is_refused(data: bytes, problem: str) -> None:
    nar = Nar(data, max_entries=10)
    for _ in range(2):
        with pytest.raises(OSError, match=problem) as caught:
            await nar.read("/a")
        assert caught.value.errno == errno.EINVAL
        assert caught.value.filename == "/a"


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
async def test_what_becomes_far_larger_is_a_bomb(compression: str) -> None:
    bomb = PACKERS[compression](await packed_nar({"f": bytes(70 << 20)}))
    with pytest.raises(OSError, match="more than 200 times its size") as caught:
        await Nar(bomb).read_dir("/")
    assert caught.value.errno == errno.EFBIG
