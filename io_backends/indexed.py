"""Trees that are known by an index: names and kinds are looked up, contents are read where they lie."""

from __future__ import annotations

import errno
import os
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Generic, NoReturn, TypeAlias, TypeVar

from aionix.io import EvalIO, FileReader, FileType, is_missing
from io_backends.memory import Symlink

#: What `read` takes into memory at most.
MAX_FILE_SIZE = 1 << 30
MAX_ENTRIES = 1_000_000
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class File:
    """A regular file; `open` is told by which path it was found."""

    size: int
    executable: bool
    open: Callable[[str], AbstractAsyncContextManager[FileReader]]


@dataclass(frozen=True, slots=True)
class Special:
    """A device or a fifo."""


Node: TypeAlias = "dict[str, Node] | File | Symlink | Special"
Directory: TypeAlias = "dict[str, Node]"
N = TypeVar("N")


class Linked(EvalIO, Generic[N]):
    """A backend that finds what is at a path free of links; they are followed here."""

    @abstractmethod
    async def _find(self, path: str) -> N:
        """The node at a path whose parents are free of links."""

    @abstractmethod
    async def _target(self, node: N) -> str | None:
        """Where a link leads; None for what is no link."""

    async def read_link(self, path: str) -> str:
        target = await self._target(await self._at(path))
        if target is None:
            fail(errno.EINVAL, path)
        return target

    async def _at(self, path: str) -> N:
        """The node at `path` itself, its parents' links followed."""
        parent, _, name = path.rpartition("/")
        return await self._find((await self.resolve(parent)).rstrip("/") + "/" + name)

    async def _follow(self, path: str) -> N:
        return await self._find(await self.resolve(path))

    async def _link_target(self, path: str) -> str | None:
        try:
            return await self._target(await self._find(path))
        except OSError as error:
            if is_missing(error):
                return None
            error.filename = error.filename or path
            raise


class Indexed(Linked[Node]):
    """All of a backend but the index: `_find`."""

    def __init__(self, max_file_size: int) -> None:
        self._max_file_size = max_file_size

    async def read(self, path: str) -> bytes:
        async with self.open(path) as file:
            return await _read_all(file, path)

    async def read_dir(self, path: str) -> dict[str, FileType]:
        node = await self._follow(path)
        if not isinstance(node, dict):
            fail(errno.ENOTDIR, path)
        return {name: _kind(entry) for name, entry in node.items()}

    async def file_type(self, path: str) -> FileType:
        return _kind(await self._at(path))

    async def is_executable(self, path: str) -> bool:
        node = await self._at(path)
        return isinstance(node, File) and node.executable

    @asynccontextmanager
    async def open(self, path: str) -> AsyncIterator[FileReader]:
        node = await self._follow(path)
        if isinstance(node, dict):
            fail(errno.EISDIR, path)
        if not isinstance(node, File):
            raise OSError(errno.EINVAL, "not a regular file", path)
        if node.size > self._max_file_size:
            fail(errno.EFBIG, path)
        async with node.open(path) as file:
            yield file

    async def _target(self, node: Node) -> str | None:
        return node.target if isinstance(node, Symlink) else None


def find(root: Node, path: str) -> Node:
    """The node at a path, below `root`, whose parents are free of links."""
    node = root
    for name in path.split("/"):
        if not name:
            continue
        if not isinstance(node, dict):
            fail(errno.ENOTDIR, path)
        if name not in node:
            fail(errno.ENOENT, path)
        node = node[name]
    return node


def fail(code: int, path: str) -> NoReturn:
    raise OSError(code, os.strerror(code), path)


async def _read_all(file: FileReader, path: str) -> bytes:
    pieces = []
    while piece := await file.read(_PIECE):
        pieces.append(piece)
    data = b"".join(pieces)
    if len(data) != file.size:
        raise OSError(errno.EIO, f"it ends after {len(data)} of {file.size} bytes", path)
    return data


def _kind(node: Node) -> FileType:
    if isinstance(node, dict):
        return FileType.DIRECTORY
    if isinstance(node, Symlink):
        return FileType.SYMLINK
    return FileType.REGULAR if isinstance(node, File) else FileType.UNKNOWN
