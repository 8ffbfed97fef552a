"""LocalDisk: the files of this machine, or those under one directory.

Every operation is one function that blocks, run on a worker thread in one hop: the hop costs
100-300 us, the system calls in it 10. asyncio's threads are reached through aiofiles, trio's through anyio.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from importlib import import_module
from io import FileIO
from typing import NamedTuple, Self, TypeVar

import anyio.to_thread

from aionix.event_loop import current_async_library
from aionix.io import EvalIO, FileReader, FileType, OpenEntry, Section, follow_links, is_missing

T = TypeVar("T")

#: What `read` takes into memory at most; `open` has no bound.
MAX_FILE_SIZE = 1 << 30

# What is read in the hop that opens a file: most have no more.
_HEAD = 1 << 18
_BLOCK = 1 << 12

_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
# To pass through a directory needs no right to list it, where the system knows O_PATH.
_ENTER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_CLOEXEC | os.O_DIRECTORY


class LocalDisk(EvalIO):
    """This machine's files.

    `root` makes a directory the `/` of the evaluation, as chroot would: no `..` and no link leads out of
    it, because a link's absolute target, too, is looked up under `root`. Links are followed one at a
    time from open directories (never by the kernel), so nobody who moves files about meanwhile
    can change that. Mount points and hard links inside `root` are taken as they are.

    Only regular files are read; fifos, devices and sockets are refused without being opened.
    `max_file_size` (bytes) bounds what `read` takes into memory (EFBIG). `env=True` lets
    Nix code see the environment variables of this process. With `threads=False` everything is done
    at once while the event loop stands still: for programs whose loop has nothing else to do.
    """

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        *,
        max_file_size: int = MAX_FILE_SIZE,
        env: bool = False,
        threads: bool = True,
    ) -> None:
        if root is not None and not os.path.isabs(root):
            root = os.path.join(os.getcwd(), root)
        self._root = None if root is None else os.fsencode(root)
        self._max_file_size = max_file_size
        self._env = env
        self._run: Callable[[Callable[[], T]], Awaitable[T]] = _in_thread if threads else _at_once
        if threads:
            import_module("aiofiles.os")  # 10 ms, so only who needs it, and not in the event loop

    async def read(self, path: str) -> bytes:
        return await self._run(partial(self._read, path))

    async def read_dir(self, path: str) -> dict[str, FileType]:
        return await self._run(partial(self._read_dir, path))

    async def file_type(self, path: str) -> FileType:
        return _kind(await self._run(partial(self._status, path)))

    async def read_link(self, path: str) -> str:
        return await self._run(partial(self._read_link, path))

    async def is_executable(self, path: str) -> bool:
        mode = await self._run(partial(self._status, path))
        return stat.S_ISREG(mode) and bool(mode & stat.S_IXUSR)

    async def resolve(self, path: str) -> str:
        return await self._run(partial(self._resolve, path))

    async def path_exists(self, path: str) -> bool:
        return await self._run(partial(self._exists, path))

    @asynccontextmanager
    async def open(self, path: str) -> AsyncIterator[FileReader]:
        with await self._run(partial(self._reader, path)) as reader:
            yield reader

    @asynccontextmanager
    async def open_range(self, path: str, start: int, size: int) -> AsyncIterator[FileReader]:
        with await self._run(partial(self._reader, path, start)) as reader:
            yield Section(reader, min(size, reader.size))

    @asynccontextmanager
    async def open_entry(self, path: str, kind: FileType | None = None) -> AsyncIterator[OpenEntry]:
        found = await self._run(partial(self._entry, path))
        if isinstance(found, FileType):
            yield OpenEntry(found)
            return
        with found:
            yield OpenEntry(FileType.REGULAR, found.executable, found)

    def get_env(self, name: str) -> str | None:
        if not self._env:
            return None
        value = os.environb.get(_bytes(name))
        return None if value is None else _text(value)

    # What follows blocks, and runs on worker threads.

    def _read(self, path: str) -> bytes:
        file = self._open(path)
        try:
            return _read_all(file, self._max_file_size)
        finally:
            os.close(file)

    def _reader(self, path: str, start: int = 0) -> _Reader:
        return _Reader(FileIO(self._open(path), "r"), start)

    def _entry(self, path: str) -> _Reader | FileType:
        """The kind of what `path` itself is; a regular file is opened."""
        with self._place(path, follow=False) as place:
            kind = _kind(place.stat(follow=False).st_mode)
            if kind is not FileType.REGULAR:
                return kind
            file = place.open(_OPEN | os.O_NOFOLLOW)
        return _Reader(FileIO(self._checked(file, path), "r"))

    def _open(self, path: str) -> int:
        """A descriptor of the regular file at `path`, links followed."""
        with self._place(path, follow=True) as place:
            _refuse_special(place.stat(follow=True).st_mode, path)  # opening a device may act on it
            file = place.open(_OPEN)
        return self._checked(file, path)

    @staticmethod
    def _checked(file: int, path: str) -> int:
        """The descriptor, if what it is of still is regular now that it is open."""
        try:
            _refuse_special(os.fstat(file).st_mode, path)
        except OSError:
            os.close(file)
            raise
        return file

    def _read_dir(self, path: str) -> dict[str, FileType]:
        with self._place(path, follow=True) as place:
            directory = place.open(_OPEN | os.O_DIRECTORY)
        try:
            with os.scandir(directory) as entries:
                return {_text(os.fsencode(entry.name)): _entry_kind(entry) for entry in entries}
        finally:
            os.close(directory)

    def _status(self, path: str) -> int:
        with self._place(path, follow=False) as place:
            return place.stat(follow=False).st_mode

    def _read_link(self, path: str) -> str:
        with self._place(path, follow=False) as place:
            return _text(os.readlink(place.name, dir_fd=place.directory))

    def _exists(self, path: str) -> bool:
        try:
            with self._place(path, follow=True) as place:
                place.stat(follow=True)
        except OSError as error:
            if not is_missing(error):
                raise
            return False
        return True

    def _resolve(self, path: str) -> str:
        if self._root is None:
            return follow_links(path, partial(_target, None))
        with _Cursor(self._root) as cursor:
            return follow_links(path, partial(_target, cursor))

    @contextmanager
    def _place(self, path: str, *, follow: bool) -> Iterator[_Place]:
        """Where the system finds `path`; `follow`: its own link, too, is followed."""
        try:
            if self._root is None:
                yield _Place(None, _bytes(path))
                return
            with _Cursor(self._root) as cursor:
                directory, name = _resolve_under(cursor, path, follow)
                yield _Place(cursor.enter(directory), _bytes(name) or b".")
        except OSError as error:
            error.filename = path  # not the name that the system was given: it tells where the root is
            raise


def _resolve_under(cursor: _Cursor, path: str, follow: bool) -> tuple[str, str]:
    """The directory, free of links, and the name in it at which `path` ends."""
    directory, _, name = path.rpartition("/")
    target_of = partial(_target, cursor)
    if not follow and name not in ("", ".", ".."):
        return follow_links(directory, target_of), name
    directory, _, name = follow_links(path, target_of).rpartition("/")
    return directory, name


class _Place(NamedTuple):
    """A name in an open directory, where a link must not be followed; or a path (directory None)."""

    directory: int | None
    name: bytes

    def open(self, flags: int) -> int:
        if self.directory is not None:
            flags |= os.O_NOFOLLOW
        return os.open(self.name, flags, dir_fd=self.directory)

    def stat(self, *, follow: bool) -> os.stat_result:
        follow = follow and self.directory is None
        return os.stat(self.name, dir_fd=self.directory, follow_symlinks=follow)


class _Cursor:
    """An open directory under a root, entered name by name, links refused (ENOTDIR)."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._at = "/"
        self._fd = os.open(root, _ENTER)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def enter(self, path: str) -> int:
        """A descriptor, valid until the next call, for the directory `path`."""
        here = _join(self._at, "")
        if not _join(path, "").startswith(here):
            self._move(os.open(self._root, _ENTER), here := "/")
        for name in path[len(here) :].split("/"):
            if name:
                step = os.open(_bytes(name), _ENTER | os.O_NOFOLLOW, dir_fd=self._fd)
                self._move(step, _join(self._at, name))
        return self._fd

    def _move(self, fd: int, at: str) -> None:
        os.close(self._fd)
        self._fd, self._at = fd, at


def _target(cursor: _Cursor | None, path: str) -> str | None:
    """Where the link `path` leads; None if it is no link, or nothing."""
    try:
        if cursor is None:
            return _text(os.readlink(_bytes(path)))
        parent, _, name = path.rpartition("/")
        return _text(os.readlink(_bytes(name), dir_fd=cursor.enter(parent)))
    except OSError as error:
        if error.errno == errno.EINVAL or is_missing(error):
            return None
        error.filename = path
        raise


class _Reader:
    """A FileReader over an open file, from `start` on: the first of it, most often all, is read at once."""

    def __init__(self, file: FileIO, start: int = 0) -> None:
        self._file = file
        try:
            status = os.fstat(file.fileno())
            file.seek(start)
            self.size = max(0, status.st_size - start)
            self.executable = bool(status.st_mode & stat.S_IXUSR)
            wanted = min(max(self.size, _BLOCK) + 1, _HEAD)
            self._head = file.read(wanted) or b""
        except BaseException:
            file.close()
            raise
        if len(self._head) == self.size < wanted:
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()  # of a file that was only read: nothing is flushed

    async def read(self, count: int) -> bytes:
        if self._head:
            piece, self._head = self._head[:count], self._head[count:]
            return piece
        if self._file.closed:
            return b""
        return await _in_thread(partial(self._file.read, count)) or b""


async def _at_once(function: Callable[[], T]) -> T:
    return function()


async def _in_thread(function: Callable[[], T]) -> T:
    """The result of `function`, which blocks; a cancelled wait leaves it to finish by itself."""
    if current_async_library() == "asyncio":
        import aiofiles.os

        return await aiofiles.os.wrap(function)()
    return await anyio.to_thread.run_sync(function, abandon_on_cancel=True)


def _read_all(file: int, limit: int) -> bytes:
    size = os.fstat(file).st_size
    pieces: list[bytes] = []
    total = 0
    # The size is a hint: files in /proc have 0, and others may grow while they are read.
    while total <= limit and size <= limit:
        piece = os.read(file, max(size - total + 1, _BLOCK))
        pieces.append(piece)
        total += len(piece)
        if not piece or total == size:  # there was room for more than that
            return b"".join(pieces)
    raise OSError(errno.EFBIG, f"{os.strerror(errno.EFBIG)} (more than {limit} bytes)")


def _refuse_special(mode: int, path: str) -> None:
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "not a regular file", path)


def _kind(mode: int) -> FileType:
    if stat.S_ISREG(mode):
        return FileType.REGULAR
    if stat.S_ISDIR(mode):
        return FileType.DIRECTORY
    return FileType.SYMLINK if stat.S_ISLNK(mode) else FileType.UNKNOWN


def _entry_kind(entry: os.DirEntry[str]) -> FileType:
    if entry.is_symlink():
        return FileType.SYMLINK
    if entry.is_dir(follow_symlinks=False):
        return FileType.DIRECTORY
    return FileType.REGULAR if entry.is_file(follow_symlinks=False) else FileType.UNKNOWN


def _join(directory: str, name: str) -> str:
    return f"{directory.rstrip('/')}/{name}"


def _bytes(path: str) -> bytes:
    if "\0" in path:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
    return path.encode("utf-8", "surrogateescape")


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
