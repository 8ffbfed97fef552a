"""Every backend keeps the contract that io_backends ships, and the contract notices who does not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from aionix.io import EvalIO, FileType
from io_backends import Executable, LocalDisk, Memory, Symlink, contract
from io_backends.memory import Node

pytestmark = pytest.mark.anyio


def write_tree(directory: Path, tree: Mapping[str, Node]) -> None:
    """Puts a tree of `Memory` onto the disk."""
    for name, node in tree.items():
        path = directory / name
        if isinstance(node, Mapping):
            path.mkdir()
            write_tree(path, node)
        elif isinstance(node, Symlink):
            path.symlink_to(node.target)
        else:
            content = node.content if isinstance(node, Executable) else node
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            path.chmod(0o755 if isinstance(node, Executable) else 0o644)


class Under(EvalIO):
    """A directory of a backend, as the root of another: to test the disk without `root`."""

    def __init__(self, io: EvalIO, prefix: str) -> None:
        self.io = io
        self.prefix = prefix
        self.open = lambda path: io.open(self.at(path))  # type: ignore[method-assign]

    def at(self, path: str) -> str:
        return self.prefix + path.rstrip("/")

    async def read(self, path: str) -> bytes:
        return await self.io.read(self.at(path))

    async def read_dir(self, path: str) -> dict[str, FileType]:
        return await self.io.read_dir(self.at(path))

    async def file_type(self, path: str) -> FileType:
        return await self.io.file_type(self.at(path))

    async def read_link(self, path: str) -> str:
        return await self.io.read_link(self.at(path))

    async def is_executable(self, path: str) -> bool:
        return await self.io.is_executable(self.at(path))

    async def path_exists(self, path: str) -> bool:
        return await self.io.path_exists(self.at(path))

    async def resolve(self, path: str) -> str:
        return (await self.io.resolve(self.at(path))).removeprefix(self.prefix) or "/"


class Shelf(EvalIO):
    """As little as a backend can be: three methods, the rest are defaults."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files

    def names(self, path: str) -> dict[str, FileType]:
        below = path.rstrip("/") + "/"
        rests = [name.removeprefix(below).partition("/") for name in self.files if name.startswith(below)]
        return {rest[0]: FileType.DIRECTORY if rest[1] else FileType.REGULAR for rest in rests}

    async def read(self, path: str) -> bytes:
        if path in self.files:
            return self.files[path]
        raise IsADirectoryError(path) if self.names(path) else FileNotFoundError(path)

    async def read_dir(self, path: str) -> dict[str, FileType]:
        if path in self.files:
            raise NotADirectoryError(path)
        if names := self.names(path):
            return names
        raise FileNotFoundError(path)

    async def file_type(self, path: str) -> FileType:
        if path in self.files:
            return FileType.REGULAR
        if self.names(path):
            return FileType.DIRECTORY
        raise FileNotFoundError(path)


def flat(tree: Mapping[str, Node], above: str = "") -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for name, node in tree.items():
        if isinstance(node, Mapping):
            files |= flat(node, f"{above}/{name}")
        elif isinstance(node, str | bytes):
            files[f"{above}/{name}"] = node.encode() if isinstance(node, str) else node
    return files


SIMPLE = {"links", "absolute links", "executables", "byte names", "empty directories"}


@pytest.mark.parametrize("check", contract.checks(), ids=str)
async def test_memory_keeps_the_contract(check: contract.Check) -> None:
    await check(Memory)


@pytest.mark.parametrize("check", contract.checks(), ids=str)
async def test_the_disk_under_a_root_keeps_the_contract(check: contract.Check, tmp_path: Path) -> None:
    write_tree(tmp_path, check.tree)
    await check(lambda tree: LocalDisk(tmp_path))


@pytest.mark.parametrize("check", contract.checks(without={"absolute links"}), ids=str)
async def test_the_whole_disk_keeps_the_contract(check: contract.Check, tmp_path: Path) -> None:
    write_tree(tmp_path, check.tree)
    await check(lambda tree: Under(LocalDisk(), str(tmp_path)))


@pytest.mark.parametrize("check", contract.checks(without=SIMPLE), ids=str)
async def test_three_methods_are_enough_for_a_backend(check: contract.Check) -> None:
    await check(lambda tree: Shelf(flat(tree)))


class Linked(Memory):
    """Memory with EvalIO's own `resolve`, `path_exists` and `open`."""

    resolve = EvalIO.resolve


@pytest.mark.parametrize("check", contract.checks(), ids=str)
async def test_the_defaults_follow_links_too(check: contract.Check) -> None:
    await check(Linked)


async def test_check_backend_takes_an_async_factory_and_passes_a_good_backend() -> None:
    async def make(tree: contract.Tree) -> EvalIO:
        return Memory(tree)

    await contract.check_backend(make)


class Forgetful(Memory):
    async def read(self, path: str) -> bytes:
        return (await super().read(path))[:64]


class Sloppy(Memory):
    async def file_type(self, path: str) -> FileType:
        return await super().file_type(await self.resolve(path))


class Evasive(Memory):
    async def read(self, path: str) -> bytes:
        return b"" if path == "/no" else await super().read(path)


@pytest.mark.parametrize("broken", [Forgetful, Sloppy, Evasive])
async def test_check_backend_notices_a_broken_backend(broken: type[Memory]) -> None:
    with pytest.raises(ExceptionGroup, match="contract") as caught:
        await contract.check_backend(broken)
    assert all(isinstance(error, AssertionError | OSError) for error in caught.value.exceptions)


def test_a_misspelt_feature_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown features"):
        contract.checks(without={"link"})
