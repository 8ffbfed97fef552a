"""Threaded: what backends share whose looks block, each done in one hop to a worker thread."""

from __future__ import annotations

import errno
import os
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple, NoReturn, Protocol, TypeVar

import anyio
import anyio.to_thread

from aionix.io import EvalIO, FileReader, FileType, OpenEntry, follow_links, is_missing

T = TypeVar("T")

#: What `read` takes into memory at most.
MAX_FILE_SIZE = 1 << 30
# What is read in the hop that opens a file: most have no more.
_HEAD = 1 << 18


class Status(NamedTuple):
    """What is at a path."""

    kind: FileType
    executable: bool = False


class Stream(Protocol):
    """An open file that blocks."""

    def read(self, count: int, /) -> bytes:
        """The next bytes, at most `count`; empty at the end."""

    def close(self) -> None:
        """Gives back what it holds."""


class Threaded(EvalIO):
    """A backend written as four functions that block.

    They get paths that are free of links (but for the last part, in `_status` and `_target`), run on at
    most `threads` worker threads at once, and raise OSErrors, whose `filename` is filled in here. A look
    that takes longer than `timeout` seconds is ETIMEDOUT; its thread, as that of a look that
    was cancelled, is left to finish by itself, and counts among the `threads` until then.
    """

    #: What errors call it.
    name: str
    #: Can there be links? Without, paths are taken as they are.
    _links = True

    def __init__(self, *, threads: int, timeout: float, max_file_size: int) -> None:
        self._timeout = timeout
        self._max_file_size = max_file_size
        self._limiter = anyio.CapacityLimiter(threads)

    @abstractmethod
    def _status(self, path: str) -> Status:
        """What `path` itself is."""

    @abstractmethod
    def _entries(self, path: str) -> dict[str, FileType]:
        """Names and kinds in a directory."""

    @abstractmethod
    def _stream(self, path: str) -> tuple[int, Stream]:
        """The size of a regular file, and its bytes."""

    def _target(self, path: str) -> str | None:
        """Where the link `path` leads; None if it is none, or nothing."""
        return None

    async def read(self, path: str) -> bytes:
        return await self._hop(path, self._read)

    async def read_dir(self, path: str) -> dict[str, FileType]:
        return await self._hop(path, lambda path: self._entries(self._real(path)))

    async def file_type(self, path: str) -> FileType:
        return (await self._hop(path, self._look)).kind

    async def read_link(self, path: str) -> str:
        return await self._hop(path, self._read_link)

    async def is_executable(self, path: str) -> bool:
        return (await self._hop(path, self._look)).executable

    async def resolve(self, path: str) -> str:
        return await self._hop(path, self._real) if self._links else path

    async def path_exists(self, path: str) -> bool:
        return await self._hop(path, self._exists)

    @asynccontextmanager
    async def open(self, path: str) -> AsyncIterator[FileReader]:
        async with self._reading(await self._hop(path, self._open)) as reader:
            yield reader

    @asynccontextmanager
    async def open_entry(self, path: str, kind: FileType | None = None) -> AsyncIterator[OpenEntry]:
        status, reader = await self._hop(path, self._open_entry)
        if reader is None:
            yield OpenEntry(status.kind)
            return
        async with self._reading(reader):
            yield OpenEntry(status.kind, status.executable, reader)

    async def _hop(self, path: str, function: Callable[[str], T]) -> T:
        """The result of `function(path)`, from a worker thread."""
        with anyio.move_on_after(self._timeout):
            return await anyio.to_thread.run_sync(
                _told, path, function, abandon_on_cancel=True, limiter=self._limiter
            )
        raise OSError(errno.ETIMEDOUT, f"{self.name}: no answer within {self._timeout:g} s", path)

    @asynccontextmanager
    async def _reading(self, reader: _Reader) -> AsyncIterator[_Reader]:
        try:
            yield reader
        finally:
            if not reader.closed:
                # Closing may block, as it ends a request; it is done also if we are being cancelled.
                with anyio.CancelScope(shield=True):
                    await self._hop(reader.path, lambda _: reader.close())

    # What follows blocks, and runs on worker threads.

    def _real(self, path: str) -> str:
        return follow_links(path, self._target) if self._links else path

    def _at(self, path: str) -> str:
        """`path` with its parents' links followed, but not its own."""
        parent, _, name = path.rpartition("/")
        return f"{self._real(parent).rstrip('/')}/{name}"

    def _look(self, path: str) -> Status:
        return self._status(self._at(path))

    def _read_link(self, path: str) -> str:
        if self._links:
            status, target = self._look(path), self._target(self._at(path))
            if target is not None and status.kind is FileType.SYMLINK:
                return target
        fail(errno.EINVAL)

    def _exists(self, path: str) -> bool:
        try:
            self._status(self._real(path))
        except OSError as error:
            if not is_missing(error):
                raise
            return False
        return True

    def _read(self, path: str) -> bytes:
        size, stream = self._stream(self._real(path))
        try:
            if size > self._max_file_size:
                fail(errno.EFBIG, f"{self.name}: more than {self._max_file_size} bytes")
            data = read_up_to(stream, size + 1)
        finally:
            stream.close()
        self._check_length(size, len(data))
        return data

    def _open(self, path: str) -> _Reader:
        size, stream = self._stream(self._real(path))
        return _Reader(self, path, size, stream)

    def _open_entry(self, path: str) -> tuple[Status, _Reader | None]:
        status = self._look(path)
        regular = status.kind is FileType.REGULAR
        return status, self._open(path) if regular else None

    def _check_length(self, size: int, read: int) -> None:
        if read != size:
            fail(errno.EIO, f"{self.name}: a file of {size} bytes ended after {read}")


class _Reader:
    """A FileReader over a stream, whose beginning, most often all of it, is read at once."""

    def __init__(self, io: Threaded, path: str, size: int, stream: Stream) -> None:
        self.path = path
        self.size = size
        self.closed = False
        self._io = io
        self._stream = stream
        self._left = size
        self._head = b""
        self._head = self._next(_HEAD)

    async def read(self, count: int) -> bytes:
        if self._left and not self._head:
            return await self._io._hop(self.path, lambda _: self._next(count))
        piece, self._head = self._head[:count], self._head[count:]
        return piece

    def close(self) -> None:
        self.closed = True
        self._stream.close()

    def _next(self, count: int) -> bytes:
        try:
            wanted = min(count, self._left)
            piece = read_up_to(self._stream, wanted)
            self._left -= len(piece)
            if len(piece) < wanted:
                self._io._check_length(self.size, self.size - self._left)
        except BaseException:
            self.close()
            raise
        if not self._left:
            self.close()
        return piece


def fail(code: int, message: str | None = None) -> NoReturn:
    """Raises an OSError, to which the path is added by who was asked for it."""
    raise OSError(code, message or os.strerror(code))


def _told(path: str, function: Callable[[str], T]) -> T:
    try:
        return function(path)
    except OSError as error:
        forget_origin(error)
        error.filename = path  # not a name that is the medium's own
        raise


def forget_origin(error: OSError) -> None:
    """Drops the errors that led to it: their words may have credentials."""
    error.__context__ = error.__cause__ = None


def read_up_to(stream: Stream, count: int) -> bytes:
    """`count` bytes, or fewer if it ends before."""
    pieces: list[bytes] = []
    while count and (piece := stream.read(count)):
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)
