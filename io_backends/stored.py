"""Bytes that lie somewhere, to be read in many places by many at once.

    opener   a function that opens them anew, on a worker thread: a path, bytes, a spool
    Spool    what came from elsewhere, or was inflated, in a file without a name
    Packed   a tree in such bytes: what archives have in common
"""

from __future__ import annotations

import errno
import os
import struct
import tarfile
import tempfile
import weakref
import zipfile
import zlib
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import partial
from io import SEEK_CUR, SEEK_END, SEEK_SET, BufferedReader, BytesIO, RawIOBase
from threading import Lock
from typing import IO, TYPE_CHECKING, Self, TypeAlias, TypeVar

import anyio.to_thread

from aionix.io import EvalIO, FileReader, errno_of, is_missing, reason
from io_backends.compression import MAGIC_SIZE, compression_of, inflated
from io_backends.indexed import MAX_ENTRIES, MAX_FILE_SIZE, File, Indexed, Node, find
from io_backends.once import Once

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

T = TypeVar("T")
Opener: TypeAlias = Callable[[], IO[bytes]]
Source: TypeAlias = "str | os.PathLike[str] | bytes"

#: What an archive may have on the disk: what was fetched, and what it is inflated to.
MAX_SIZE = 1 << 32
#: What is inflated to more than this, and to more than `MAX_RATIO` times its size, is a bomb.
_HARMLESS = 1 << 26
MAX_RATIO = 200

PIECE = 1 << 20
# What is read in the hop that opens a file: most have no more.
_HEAD = 1 << 18

# What the standard library raises of an archive that is damaged, or made to do harm. RuntimeError is
# a zip that is encrypted or compressed in a way that is not known, and nested too deep; MemoryError
# a size that no file has.
_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    LookupError,
    MemoryError,
    OverflowError,
    RuntimeError,
    ValueError,
)


@contextmanager
def blamed(path: str | None) -> Iterator[None]:
    """Damage is told as an OSError about `path`."""
    try:
        yield
    except (*_DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno:  # those of bz2 have none
            raise
        raise OSError(errno.EINVAL, f"not a sound archive: {error}", path) from error


def too_large(limit: int, path: str | None = None) -> OSError:
    return OSError(errno.EFBIG, f"{os.strerror(errno.EFBIG)} (more than {limit} bytes)", path)


async def in_thread(function: Callable[[], T]) -> T:
    """The result of `function`, which blocks; a cancelled wait leaves it to finish by itself."""
    return await anyio.to_thread.run_sync(function, abandon_on_cancel=True)


class Spool:
    """Bytes in a file without a name, which is gone when this is closed, or nobody holds it.

    Everything here blocks. More than `limit` bytes are EFBIG.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = Lock()
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # `close` closes it
        self.close = weakref.finalize(self, self._file.close)
        self.size = 0

    def write(self, data: bytes) -> None:
        """Adds to the end."""
        self.size += len(data)
        if self.size > self._limit:
            raise too_large(self._limit)
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]

    def open(self) -> BufferedReader:
        """A reader with a place of its own."""
        return BufferedReader(_View(self), _HEAD)

    def read_into(self, buffer: WriteableBuffer, at: int) -> int:
        with self._lock:
            self._file.seek(at)
            return self._file.readinto(buffer)


class _View(RawIOBase):
    """A spool, read from a place that moves on."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        count = self._spool.read_into(buffer, self._at)
        self._at += count
        return count

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        self._at = offset + {SEEK_SET: 0, SEEK_CUR: self._at, SEEK_END: self._spool.size}[whence]
        if self._at < 0:
            raise ValueError("a place before the beginning")
        return self._at


async def fetch(io: EvalIO, path: str, limit: int) -> Spool:
    """What another backend has at `path`, all of it or nothing. Raises OSError."""
    spool = await in_thread(partial(Spool, limit))
    try:
        async with io.open(path) as file:
            if file.size > limit:
                raise too_large(limit, path)
            await _copy(file, spool)
            if spool.size != file.size:
                raise OSError(errno.EIO, f"{spool.size} bytes came instead of {file.size}", path)
    except BaseException:
        spool.close()
        raise
    return spool


async def _copy(file: FileReader, spool: Spool) -> None:
    pieces = bytearray()
    while piece := await file.read(PIECE):
        pieces += piece
        if len(pieces) >= PIECE:
            await in_thread(partial(spool.write, bytes(pieces)))
            pieces.clear()
    await in_thread(partial(spool.write, bytes(pieces)))


def inflate(source: Opener, compression: str, limit: int, max_ratio: float = float("inf")) -> Spool:
    """What `source` holds, inflated. Blocks. Raises EFBIG, and what `inflated` raises."""
    spool = Spool(limit)
    try:
        with source() as file:
            for piece in inflated(file, compression):
                spool.write(piece)
                check_ratio(spool.size, file.tell(), max_ratio)
    except BaseException:
        spool.close()
        raise
    return spool


def check_ratio(inflated: int, compressed: int, max_ratio: float) -> None:
    if inflated > max(_HARMLESS, max_ratio * compressed):
        raise OSError(errno.EFBIG, f"it is inflated to more than {max_ratio} times its size")


def section(source: Opener, start: int, size: int, executable: bool) -> File:
    """The file that is `size` bytes of `source`, from `start` on."""
    return File(size, executable, partial(open_part, source, start, size))


def open_part(
    source: Opener, start: int, size: int, path: str
) -> AbstractAsyncContextManager[FileReader]:
    """Such a file, open; errors are about `path`."""
    return open_stored(partial(_from, source, start), size, path)


def _open(path: str) -> IO[bytes]:
    return open(path, "rb")


def _from(source: Opener, start: int) -> IO[bytes]:
    file = source()
    file.seek(start)
    return file


def stored_file(source: Opener, size: int, executable: bool) -> File:
    """The file that `source` begins with."""
    return File(size, executable, partial(open_stored, source, size))


@asynccontextmanager
async def open_stored(source: Opener, size: int, path: str) -> AsyncIterator[FileReader]:
    reader = await in_thread(partial(_Reader, source, size, path))
    try:
        yield reader
    finally:
        reader.close()


class _Reader:
    """A FileReader whose beginning, most often all of it, is read at once."""

    def __init__(self, source: Opener, size: int, path: str) -> None:
        self._path = path
        self._left = self.size = size
        with blamed(path):
            self._stream = source()
            try:
                self._head = self._read(min(size, _HEAD))
            except BaseException:
                self.close()
                raise
        if self._left == 0:
            self.close()

    def close(self) -> None:
        self._stream.close()  # of a file that was only read: nothing is flushed

    async def read(self, count: int) -> bytes:
        if not self._head and self._left:
            self._head = await in_thread(partial(self._read, min(count, self._left)))
        piece, self._head = self._head[:count], self._head[count:]
        return piece

    def _read(self, count: int) -> bytes:
        with blamed(self._path):
            piece = self._stream.read(count)
            if len(piece) != count:
                raise EOFError("it ends too early")
        self._left -= count
        return piece


class Packed(Indexed):
    """A tree in one file, of which `_index` makes an index when it is first looked at.

    As an async context manager it closes at its end what it keeps on the disk. Without, that is closed
    soon after nobody holds the tree or a file of it any more.
    """

    def __init__(
        self,
        source: Source,
        *,
        io: EvalIO | None = None,
        max_size: int = MAX_SIZE,
        max_file_size: int = MAX_FILE_SIZE,
        max_entries: int = MAX_ENTRIES,
        max_ratio: float = MAX_RATIO,
    ) -> None:
        super().__init__(max_file_size)
        if io is None and not isinstance(source, bytes) and not os.path.isabs(source):
            source = os.path.join(os.getcwd(), source)
        self._source = source if isinstance(source, bytes) else os.fspath(source)
        self._io = io
        self._max_size = max_size
        self._max_entries = max_entries
        self._max_ratio = max_ratio
        self._root: Once[Node | OSError] = Once(lambda _: self._read_root())
        self._spool: Spool | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes what it keeps on the disk: no more contents can be read."""
        if self._spool is not None:
            self._spool.close()

    @abstractmethod
    def _index(self, source: Opener) -> Node:
        """The tree in `source`, which is not compressed. Blocks."""

    async def _find(self, path: str) -> Node:
        try:
            root = await self._root.get()
        except OSError as error:
            raise self._told(error, path) from error
        if isinstance(root, OSError):
            raise self._told(root, path)
        return find(root, path)

    async def _read_root(self) -> Node | OSError:
        """The tree; or why it cannot be known, which will not change."""
        source = await self._opener()
        return await in_thread(partial(self._read_index, source))

    async def _opener(self) -> Opener:
        if isinstance(self._source, bytes):
            return partial(BytesIO, self._source)
        if self._io is None:
            return partial(_open, self._source)
        self._spool = await fetch(self._io, self._source, self._max_size)
        return self._spool.open

    def _told(self, error: OSError, path: str) -> OSError:
        name = "" if isinstance(self._source, bytes) else f" (the archive '{self._source}')"
        # An archive that is not there is no missing file: `pathExists` must not be false for that.
        code = errno.ENXIO if is_missing(error) else errno_of(error) or errno.EIO
        return OSError(code, f"{reason(error)}{name}", path)

    # What follows blocks, and runs on worker threads.

    def _read_index(self, source: Opener) -> Node | OSError:
        try:
            with blamed(None):
                return self._index(self._plain(source))
        except OSError as error:
            return error

    def _plain(self, source: Opener) -> Opener:
        """`source`, inflated if it is compressed."""
        with source() as file:
            compression = compression_of(file.read(MAGIC_SIZE))
        if compression is None:
            return source
        fetched, self._spool = self._spool, inflate(source, compression, self._max_size, self._max_ratio)
        if fetched is not None:
            fetched.close()
        return self._spool.open
