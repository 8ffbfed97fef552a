"""Any file system of fsspec as a backend."""

from __future__ import annotations

import errno
import socket
import threading
import traceback
from collections.abc import Mapping
from itertools import count
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem
from same_tree import PLAIN, TREE, evaluates_as_in_memory
from test_io_archive import packed_zip
from test_io_contract import write_tree

from io_backends import Fsspec, Symlink, contract
from io_backends.memory import Node

pytestmark = pytest.mark.anyio

SIMPLE = {"links", "absolute links", "executables", "byte names"}
NUMBERS = count()


def in_memory(tree: Mapping[str, Node]) -> str:
    """The URL of a tree in fsspec's memory."""
    root = f"/tree{next(NUMBERS)}"
    upload(MemoryFileSystem(), tree, root)
    return f"memory:/{root}"


def upload(fs: MemoryFileSystem, tree: Mapping[str, Node], path: str) -> None:
    fs.mkdir(path)
    for name, node in tree.items():
        if isinstance(node, Mapping):
            upload(fs, node, f"{path}/{name}")
        else:
            assert isinstance(node, str | bytes)
            fs.pipe_file(f"{path}/{name}", node.encode() if isinstance(node, str) else node)


@pytest.mark.parametrize("check", contract.checks(without=SIMPLE), ids=str)
async def test_memory_of_fsspec_keeps_the_contract(check: contract.Check) -> None:
    await check(lambda tree: Fsspec(in_memory(tree)))


@pytest.mark.parametrize("check", contract.checks(), ids=str)
async def test_the_disk_through_fsspec_keeps_the_contract(check: contract.Check, tmp_path: Path) -> None:
    write_tree(tmp_path, check.tree)
    await check(lambda tree: Fsspec(LocalFileSystem(), str(tmp_path)))


@pytest.mark.parametrize("check", contract.checks(without=SIMPLE), ids=str)
async def test_a_chained_url_keeps_the_contract(check: contract.Check, tmp_path: Path) -> None:
    archive = tmp_path / "it.zip"
    archive.write_bytes(packed_zip({"top": check.tree}))
    await check(lambda tree: Fsspec(f"zip://top::{archive}"))


async def test_an_evaluation_reads_it_as_it_reads_the_same_tree_in_memory(tmp_path: Path) -> None:
    await evaluates_as_in_memory(Fsspec(in_memory(PLAIN)), PLAIN)
    write_tree(tmp_path, TREE)
    await evaluates_as_in_memory(Fsspec(f"file://{tmp_path}"), TREE)


async def fails(io: Fsspec, code: int, words: str) -> None:
    for look in (io.read("/f"), io.read_dir("/f"), io.path_exists("/f"), io.file_type("/f")):
        with pytest.raises(OSError, match=words) as caught:
            await look
        assert caught.value.errno == code
        assert caught.value.filename == "/f"
        assert "secret" not in "".join(traceback.format_exception(caught.value)) + repr(io)


class Broken(MemoryFileSystem):
    """A file system that fails in its own ways."""

    protocol = "broken"
    cachable = False

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def info(self, path: str, **_: object) -> dict[str, object]:
        raise self.error

    ls = open = info


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ValueError("secret"), errno.EIO, "fsspec broken: it failed .ValueError."),
        (OSError("http://me:secret@host"), errno.EIO, "it failed .OSError."),
        (PermissionError("secret"), errno.EACCES, "Permission denied"),
        (OSError(errno.ETIMEDOUT, "secret"), errno.ETIMEDOUT, "timed out"),
        (RecursionError("secret"), errno.EIO, "it failed .RecursionError."),
    ],
)
async def test_what_a_file_system_raises_is_told_without_its_words(
    error: Exception, code: int, words: str
) -> None:
    await fails(Fsspec(Broken(error)), code, words)


async def test_a_file_system_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    released = threading.Event()

    class Hanging(MemoryFileSystem):
        protocol = "hanging"
        cachable = False

        def info(self, path: str, **_: object) -> dict[str, object]:
            released.wait(20)
            raise FileNotFoundError(path)

    await fails(Fsspec(Hanging(), timeout=0.05), errno.ETIMEDOUT, "fsspec hanging: no answer within 0.05 s")
    released.set()


async def test_a_file_that_is_shorter_than_was_said_is_noticed() -> None:
    class Lying(MemoryFileSystem):
        protocol = "lying"
        cachable = False

        def info(self, path: str, **_: object) -> dict[str, object]:
            return {**super().info(path), "size": 1_000_000}

    io = Fsspec(Lying(), in_memory({"f": "x" * 500_000}).removeprefix("memory:/"))
    with pytest.raises(OSError, match="a file of 1000000 bytes ended after 500000"):
        await io.read("/f")
    with pytest.raises(OSError, match="a file of 1000000 bytes ended after 500000"):
        async with io.open("/f") as file:
            while await file.read(100_000):
                pass


async def test_sizes_that_are_not_known_are_found_out() -> None:
    class Vague(MemoryFileSystem):
        protocol = "vague"
        cachable = False

        def info(self, path: str, **_: object) -> dict[str, object]:
            return {**super().info(path), "size": None}

    root = in_memory({"f": "x" * 5000}).removeprefix("memory:/")
    assert await Fsspec(Vague(), root).read("/f") == b"x" * 5000
    with pytest.raises(OSError, match="more than 4000 bytes") as caught:
        await Fsspec(Vague(), root, max_file_size=4000).read("/f")
    assert caught.value.errno == errno.EFBIG


async def test_bounds_hold() -> None:
    io = Fsspec(in_memory({"f": "x" * 11, "d": {"a": "", "b": ""}}), max_entries=1, max_file_size=10)
    for look in (io.read("/f"), io.read_dir("/d")):
        with pytest.raises(OSError, match="more than") as caught:
            await look
        assert caught.value.errno == errno.EFBIG


class Lying(MemoryFileSystem):
    """Lists what no directory has."""

    def ls(self, path: str, detail: bool = True, **kwargs: object) -> object:
        names = ["f", "..", ".", "", "../../f"]
        return [{"name": f"{path}/{name}", "size": 1, "type": "file"} for name in names]


async def test_names_that_lead_out_are_not_listed() -> None:
    in_memory({"f": "x"})
    assert set(await Fsspec(Lying(), "/").read_dir("/")) == {"f"}


async def test_links_that_leave_the_root_stay_in_it(tmp_path: Path) -> None:
    write_tree(tmp_path, {"out": {"f": "outside"}, "root": {"l": Symlink("../out"), "f": "inside"}})
    io = Fsspec(f"file://{tmp_path}/root")
    assert not await io.path_exists("/l/f")
    with pytest.raises(FileNotFoundError):
        await io.read("/l/f")


def test_what_cannot_work_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="Protocol not known"):
        Fsspec("nonsense://x")
    with pytest.raises(ImportError):
        Fsspec("s3://bucket")


async def test_credentials_in_a_url_are_not_told() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    io = Fsspec(f"ftp://me:secret@127.0.0.1:{port}/x")
    await fails(io, errno.ECONNREFUSED, "refused")
