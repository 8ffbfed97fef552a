"""EvalIO: the one door between an evaluation and the outside world.

A backend has three methods to write; the rest has defaults that are right, if not the fastest:

    class Shelf(EvalIO):
        async def read(self, path): ...        # FileNotFoundError, IsADirectoryError, ...
        async def read_dir(self, path): ...    # {"default.nix": FileType.REGULAR}
        async def file_type(self, path): ...   # of `path` itself, links not followed

Paths are absolute, clean (no `.`, `..`, doubled or trailing `/`) text, surrogateescape for bytes
that are not UTF-8. Failures are `OSError`s, with the errno that POSIX would give; the evaluator
words them. Any other exception, or an answer of a wrong type, is a fault of the backend, which
the evaluation tells as `BackendFailed`. Every method is awaited on the event loop and must not
block it; many may be waiting at once. `io_backends.contract` has the checks that a backend must pass.
"""

from __future__ import annotations

import errno
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from enum import Enum
from typing import NamedTuple, Protocol

#: As Linux: a path that meets more links than this is a loop.
MAX_LINKS = 40
#: As Linux: longer paths, and longer targets of links, are refused (ENAMETOOLONG).
MAX_PATH = 4096


class FileType(Enum):
    """What `builtins.readDir` says of an entry; links are not followed."""

    REGULAR = "regular"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    UNKNOWN = "unknown"


class FileReader(Protocol):
    """An open regular file, read from its start to its end."""

    @property
    def size(self) -> int:
        """Bytes in the file when it was opened."""

    async def read(self, count: int) -> bytes:
        """The next bytes, at most `count`; empty at the end."""


class OpenEntry(NamedTuple):
    """What is at a path, its own link not followed; a regular file is open to be read."""

    kind: FileType
    executable: bool = False
    file: FileReader | None = None


class EvalIO(ABC):
    """A tree of files, and an environment, that Nix code may look at."""

    @abstractmethod
    async def read(self, path: str) -> bytes:
        """All bytes of a regular file, links followed. (`import`, `readFile`, `hashFile`)

        EISDIR for a directory; a fifo, device or socket is refused, not waited for.
        """

    @abstractmethod
    async def read_dir(self, path: str) -> dict[str, FileType]:
        """Names and kinds of a directory's entries, links to it followed. (`readDir`, copying a
        path to the store)"""

    @abstractmethod
    async def file_type(self, path: str) -> FileType:
        """What `path` itself is: its parents' links are followed, its own is not.
        (`readFileType`, `pathExists`, `import` of a directory)"""

    async def read_link(self, path: str) -> str:
        """The target of a symlink, as written; EINVAL if it is none. (copying to the store,
        `resolve`) A backend without links need not write this."""
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)

    async def is_executable(self, path: str) -> bool:
        """Has a regular file the owner's execute bit? (copying to the store)"""
        return False

    def open(self, path: str) -> AbstractAsyncContextManager[FileReader]:
        """A regular file, links followed, to be read in pieces: `async with io.open(p) as f`.
        (hashing and copying large files)"""
        return _whole(self, path)

    def open_range(
        self, path: str, start: int, size: int
    ) -> AbstractAsyncContextManager[FileReader]:
        """`size` bytes of a regular file, from `start` on, links followed; fewer, or none, if it ends
        before. (one file of an archive that lies in this backend)

        What comes before is read over: a backend that can begin anywhere should.
        """
        return _range(self, path, start, size)

    def open_entry(
        self, path: str, kind: FileType | None = None
    ) -> AbstractAsyncContextManager[OpenEntry]:
        """`path` itself: `file_type`, `is_executable` and `open` in one. (copying to the store)

        `kind` is what `read_dir` said, if it was asked. A backend that can answer all of it at
        once should: some thousand files are copied one by one.
        """
        return _open_entry(self, path, kind)

    async def resolve(self, path: str) -> str:
        """`path` without links; what is missing stays as it is written.

        (`findFile`, `import`, and the names in errors.) ELOOP for links in a circle. The `filename` of
        an error is the part of the path that could not be looked at.
        """
        return await follow_links_async(path, self._link_target)

    async def _link_target(self, path: str) -> str | None:
        try:
            is_link = await self.file_type(path) is FileType.SYMLINK
            return await self.read_link(path) if is_link else None
        except OSError as error:
            if not is_missing(error):
                error.filename = path
                raise
            return None

    async def path_exists(self, path: str) -> bool:
        """Is there something at `path`, links followed? (`<x>`, `findFile`)"""
        try:
            if await self.file_type(path) is FileType.SYMLINK:
                await self.file_type(await self.resolve(path))
        except OSError as error:
            if not is_missing(error):
                raise
            return False
        return True

    async def import_path(self, path: str) -> str | None:
        """The store path of `path`, if this backend keeps a store; else None: it is computed.
        (`"${./x}"`, `builtins.path`)"""
        return None

    @property
    def read_ahead(self) -> bool:
        """Do answers take so long (a round trip) that it pays to ask for the files that some code
        mentions before it needs them? For disks and memory it does not."""
        return False

    def get_env(self, name: str) -> str | None:
        """An environment variable. (`getEnv`, `~/`, NIX_PATH)"""
        return None

    def store_dir(self) -> str | None:
        """Where the store is; None for the usual `/nix/store`. (`storeDir`)"""
        return None


class WritableIO(Protocol):
    """A place where files can be written. Paths are as for `EvalIO`; failures are OSErrors.

    `io_backends` has `WritableMemory` and `WritableDisk`.
    """

    async def write_file(self, path: str, data: bytes, *, executable: bool = False) -> None:
        """Puts a file there, or in the place of the file or link that is there. It appears as a whole or
        not at all. Its directory must exist."""

    async def make_directory(self, path: str) -> None:
        """Makes a directory, and those that lead to it, unless there is one."""

    async def symlink(self, path: str, target: str) -> None:
        """Puts a link to `target`, as written, there, or in the place of the file or link that is there."""


def is_missing(error: OSError) -> bool:
    """Does it say that the path leads to nothing, rather than that looking failed?"""
    return isinstance(error, (FileNotFoundError, NotADirectoryError))


# A backend may raise `FileNotFoundError(path)`, which has no errno.
_ERRNO_OF_CLASS: dict[type[OSError], int] = {
    FileNotFoundError: errno.ENOENT,
    NotADirectoryError: errno.ENOTDIR,
    IsADirectoryError: errno.EISDIR,
    PermissionError: errno.EACCES,
    TimeoutError: errno.ETIMEDOUT,
}


def errno_of(error: OSError) -> int:
    """The errno; 0 if neither the error nor its class says."""
    return error.errno or _ERRNO_OF_CLASS.get(type(error), 0)


def reason(error: OSError) -> str:
    """What went wrong in words, without the path: `Permission denied`."""
    if isinstance(error.strerror, str):
        return error.strerror
    code = errno_of(error)
    return os.strerror(code) if code else " ".join(map(str, error.args)) or type(error).__name__


def walk_links(path: str) -> Generator[str, str | None, str]:
    """Resolves the links of `path`, without doing any IO.

    Yields paths whose parents are free of links, is sent each one's target if it is a link, else
    None, and returns `path` free of links. `..` in a target leaves the directory that was
    reached, not the name that was written, and stops at `/`. Raises OSError ELOOP.
    """
    done: list[str] = []
    pending = _parts(path)
    links = 0
    while pending:
        part = pending.pop()
        if part == "..":
            del done[-1:]
            continue
        target = yield "/" + "/".join([*done, part])
        if target is None:
            done.append(part)
            continue
        links += 1
        if links > MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        if target.startswith("/"):
            done.clear()
        pending += _parts(target)
    return "/" + "/".join(done)


def _parts(path: str) -> list[str]:
    """The parts of a path, last first."""
    if len(path) > MAX_PATH:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), path)
    return [part for part in path.split("/")[::-1] if part not in ("", ".")]


def follow_links(path: str, target_of: Callable[[str], str | None]) -> str:
    """`walk_links` with an answer that needs no waiting."""
    walk = walk_links(path)
    try:
        step = next(walk)
        while True:
            step = walk.send(target_of(step))
    except StopIteration as end:
        return str(end.value)


async def follow_links_async(path: str, target_of: Callable[[str], Awaitable[str | None]]) -> str:
    """`walk_links` with an answer that has to be waited for."""
    walk = walk_links(path)
    try:
        step = next(walk)
        while True:
            step = walk.send(await target_of(step))
    except StopIteration as end:
        return str(end.value)


class BytesReader:
    """A FileReader over what is in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def size(self) -> int:
        return len(self._data)

    async def read(self, count: int) -> bytes:
        piece = self._data[self._at : self._at + count]
        self._at += len(piece)
        return piece


@asynccontextmanager
async def _whole(io: EvalIO, path: str) -> AsyncIterator[FileReader]:
    yield BytesReader(await io.read(path))


class Section:
    """The next `size` bytes of an open file, as a FileReader."""

    def __init__(self, file: FileReader, size: int) -> None:
        self._file = file
        self._left = self.size = size

    async def read(self, count: int) -> bytes:
        piece = await self._file.read(min(count, self._left))
        self._left -= len(piece)
        return piece


@asynccontextmanager
async def _range(io: EvalIO, path: str, start: int, size: int) -> AsyncIterator[FileReader]:
    async with io.open(path) as file:
        before = Section(file, start)
        while await before.read(1 << 20):
            pass
        yield Section(file, max(0, min(size, file.size - start)))


@asynccontextmanager
async def _open_entry(io: EvalIO, path: str, kind: FileType | None) -> AsyncIterator[OpenEntry]:
    kind = kind or await io.file_type(path)
    if kind is not FileType.REGULAR:
        yield OpenEntry(kind)
        return
    executable = await io.is_executable(path)
    async with io.open(path) as file:
        yield OpenEntry(kind, executable, file)
