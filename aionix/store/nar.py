"""NAR, the Nix archive: one byte string for each file tree, whatever the disk it lies on.

Only contents, the executable bit, symlink targets and names count; directories are sorted.
(Format: E. Dolstra, "The Purely Functional Software Deployment Model", figure 5.2)

A tree is written strictly in order, but what comes next is read meanwhile: the walk goes ahead of
what is written by as much as `AHEAD` files, and what goes wrong on the way is told when its turn comes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import anyio
from anyio.lowlevel import checkpoint

from aionix.errors import FileError
from aionix.io import EvalIO, FileReader, FileType, OpenEntry, is_missing, reason
from aionix.store.hashes import new_hasher

if TYPE_CHECKING:
    from anyio.abc import TaskGroup
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

T = TypeVar("T")
Parts: TypeAlias = "MemoryObjectReceiveStream[T | Exception]"

#: Is the entry at this path, of this kind, part of the tree?
Filter: TypeAlias = Callable[[str, FileType], Awaitable[bool]]
#: Takes the next bytes, of any number.
Sink: TypeAlias = Callable[[bytes], Awaitable[None]]

#: Bytes that are read, and hashed, in one go: a millisecond or two.
PIECE = 1 << 20
#: Files that are open at the same time; of each at most two pieces are held.
AHEAD = 16
# Listings that are held before their turn, and among how many entries the next ones are looked for.
_LISTED_AHEAD = 256
_LOOK_AHEAD = 32


def field(data: bytes) -> bytes:
    """A length, the bytes, and zeros up to a multiple of eight."""
    return len(data).to_bytes(8, "little") + data + bytes(-len(data) % 8)


def _fields(*words: str) -> bytes:
    return b"".join([field(word.encode("utf-8", "surrogateescape")) for word in words])


_MAGIC = _fields("nix-archive-1")
_CLOSE = _fields(")")
_DIRECTORY = _fields("(", "type", "directory")
_ENTRY = _fields("entry", "(", "name")
_NODE = _fields("node")
_REGULAR = _fields("(", "type", "regular", "contents")
_EXECUTABLE = _fields("(", "type", "regular", "executable", "", "contents")


async def nar_hash(
    io: EvalIO, path: str, filter: Filter | None = None, algorithm: str = "sha256"
) -> bytes:
    """The digest of the NAR of the file or tree at `path`. Raises FileError."""
    hasher = new_hasher(algorithm)

    async def update(piece: bytes) -> None:
        hasher.update(piece)

    await write_nar(io, path, update, filter)
    return hasher.digest()


async def file_hash(io: EvalIO, path: str, algorithm: str) -> bytes:
    """The digest of a regular file's contents, links followed. Raises FileError."""
    hasher = new_hasher(algorithm)

    async def update(piece: bytes) -> None:
        hasher.update(piece)

    async with AsyncExitStack() as stack:
        try:
            file = await stack.enter_async_context(io.open(path))
        except OSError as error:
            raise _failed("opening file", path, error) from error
        await _copy(file, path, update)
    return hasher.digest()


async def write_nar(io: EvalIO, path: str, sink: Sink, filter: Filter | None = None) -> None:
    """Gives the NAR of the file or tree at `path` to `sink`, in pieces of at most some megabytes.

    `filter` is asked about each entry below `path`, parents first, in the order of the NAR; it and
    `sink` are awaited in the caller's task. Nothing is read that it has not accepted. Raises
    FileError, and what they raise.
    """
    out = _Buffer(sink)
    await out.write(_MAGIC)
    if await _write_leaf(io, path, None, out.write) is FileType.DIRECTORY:
        await _write_tree(io, path, out.write, filter)
    await out.flush()


class _Buffer:
    """Gathers small pieces into larger ones, and gives the event loop a turn before each."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._parts: list[bytes] = []
        self._size = 0

    async def write(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._size >= PIECE:
            await checkpoint()
            await self.flush()

    async def flush(self) -> None:
        data = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        await self._sink(data)


async def _write_leaf(io: EvalIO, path: str, kind: FileType | None, write: Sink) -> FileType:
    """Writes the file or link at `path`. Returns what is there; a directory is left to the caller."""
    if kind is None or kind is FileType.REGULAR:
        async with AsyncExitStack() as stack:
            entry = await _entered(stack, io, path, kind)
            kind = entry.kind
            if kind is FileType.REGULAR:
                await _write_file(entry, path, write)
    if kind is FileType.SYMLINK:
        await write(_fields("(", "type", "symlink", "target", await _target(io, path), ")"))
    elif kind is FileType.UNKNOWN:
        raise FileError(f"file '{path}' has an unsupported type", path)
    return kind


async def _entered(stack: AsyncExitStack, io: EvalIO, path: str, kind: FileType | None) -> OpenEntry:
    try:
        return await stack.enter_async_context(io.open_entry(path, kind))
    except OSError as error:
        await _kind(io, path)  # most often it is this that failed
        raise _failed("opening file", path, error) from error


async def _write_file(entry: OpenEntry, path: str, write: Sink) -> None:
    if entry.file is None:
        raise TypeError("a regular file must be open")
    size = entry.file.size
    await write((_EXECUTABLE if entry.executable else _REGULAR) + size.to_bytes(8, "little"))
    await _copy(entry.file, path, write)
    await write(bytes(-size % 8) + _CLOSE)


async def _copy(file: FileReader, path: str, write: Sink) -> None:
    """All bytes of `file`, which must be as many as it said."""
    left = file.size
    while piece := await _read(file, path):
        left -= len(piece)
        if left < 0:
            raise FileError(f"file '{path}' has more bytes than its size says", path)
        await write(piece)
    if left:
        raise FileError(f"unexpected end-of-file reading '{path}'", path)


async def _read(file: FileReader, path: str) -> bytes:
    try:
        piece = await file.read(PIECE)
    except OSError as error:
        raise _failed("reading from file", path, error) from error
    if not isinstance(piece, bytes):
        raise TypeError(f"expected bytes, got {type(piece).__name__}")
    return piece


async def _kind(io: EvalIO, path: str) -> FileType:
    try:
        return await io.file_type(path)
    except OSError as error:
        if is_missing(error):
            raise FileError(f"path '{path}' does not exist", path) from error
        raise _failed("getting status of", path, error) from error


async def _target(io: EvalIO, path: str) -> str:
    try:
        return await io.read_link(path)
    except OSError as error:
        raise _failed("reading symbolic link", path, error) from error


async def _listing(io: EvalIO, path: str) -> dict[str, FileType]:
    try:
        return await io.read_dir(path)
    except OSError as error:
        raise _failed("reading directory", path, error) from error


def _failed(action: str, path: str, error: OSError) -> FileError:
    return FileError(f"{action} '{path}': {reason(error)}", path)


async def _write_tree(io: EvalIO, path: str, write: Sink, filter: Filter | None) -> None:
    """Writes the directory at `path`."""
    failure: Exception | None = None
    async with anyio.create_task_group() as group:
        tree = _Tree(io, filter, group)
        try:
            await tree.write(path, write)
        except Exception as error:
            failure = error  # raised here, it would come out as a group
            group.cancel_scope.cancel()
        finally:
            tree.close()
    if failure is not None:
        raise failure


class _Entry:
    """An entry of a directory, still to be written."""

    __slots__ = ("kind", "listing", "name", "path")

    def __init__(self, directory: str, name: str, kind: FileType) -> None:
        self.path = f"{directory.rstrip('/')}/{name}"
        self.name = name.encode("utf-8", "surrogateescape")
        self.kind = kind
        self.listing: Parts[dict[str, FileType]] | None = None


class _Tree:
    """The walk through a tree, and what it has met but not written yet."""

    def __init__(self, io: EvalIO, filter: Filter | None, group: TaskGroup) -> None:
        self._io = io
        self._filter = filter
        self._group = group
        # What is left to walk, the next last: a tree as deep as paths may be needs no deep stack.
        self._todo: list[_Entry | bytes] = []
        self._met: deque[Parts[bytes] | bytes | Exception] = deque()
        self._files = 0
        self._listings = 0

    async def write(self, path: str, write: Sink) -> None:
        await self._enter(path, None)
        while self._todo or self._met:
            if self._todo and self._files < AHEAD and len(self._met) < 4 * AHEAD:
                await self._walk(self._todo.pop())
            else:
                await self._write_next(write)

    def close(self) -> None:
        for item in [*self._met, *[entry.listing for entry in self._todo if isinstance(entry, _Entry)]]:
            if item is not None and not isinstance(item, (bytes, Exception)):
                item.close()

    async def _walk(self, item: _Entry | bytes) -> None:
        if isinstance(item, bytes):
            self._met.append(item)
            return
        try:
            await self._meet(item)
        except Exception as error:  # to be raised after what comes before it
            self._met.append(error)
            self._todo.clear()

    async def _meet(self, entry: _Entry) -> None:
        if entry.kind is FileType.UNKNOWN:
            entry.kind = await _kind(self._io, entry.path)
        if self._filter is not None and not await self._filter(entry.path, entry.kind):
            return
        self._met.append(_ENTRY + field(entry.name) + _NODE)
        self._todo.append(_CLOSE)
        if entry.kind is FileType.DIRECTORY:
            await self._enter(entry.path, entry.listing)
        else:
            self._files += 1
            self._met.append(self._begin(partial(self._leaf, entry)))

    async def _enter(self, path: str, listing: Parts[dict[str, FileType]] | None) -> None:
        self._met.append(_DIRECTORY)
        self._todo.append(_CLOSE)
        if listing is None:
            found = await _listing(self._io, path)
        else:
            self._listings -= 1
            with listing:
                found = _unless_failed(await listing.receive())
        entries = [_Entry(path, name, kind) for name, kind in found.items()]
        entries.sort(key=lambda entry: entry.name, reverse=True)
        self._todo += entries
        if self._filter is None:
            self._list_ahead()

    def _list_ahead(self) -> None:
        """Begins to list the directories that come next."""
        for entry in self._todo[: -_LOOK_AHEAD - 1 : -1]:
            if self._listings == _LISTED_AHEAD:
                break
            if isinstance(entry, _Entry) and entry.kind is FileType.DIRECTORY and entry.listing is None:
                self._listings += 1
                entry.listing = self._begin(partial(self._list, entry.path))

    def _begin(self, produce: Callable[[Callable[[T], Awaitable[None]]], Awaitable[None]]) -> Parts[T]:
        """What `produce` gives, as a task of its own finds it."""
        give: MemoryObjectSendStream[T | Exception]
        give, parts = anyio.create_memory_object_stream(1)
        self._group.start_soon(_produced, produce, give)
        return parts

    async def _leaf(self, entry: _Entry, write: Sink) -> None:
        out = _Buffer(write)
        if await _write_leaf(self._io, entry.path, entry.kind, out.write) is FileType.DIRECTORY:
            raise FileError(f"file '{entry.path}' has become a directory", entry.path)
        await out.flush()

    async def _list(self, path: str, give: Callable[[dict[str, FileType]], Awaitable[None]]) -> None:
        await give(await _listing(self._io, path))

    async def _write_next(self, write: Sink) -> None:
        item = self._met.popleft()
        if isinstance(item, Exception):
            raise item
        if isinstance(item, bytes):
            await write(item)
            return
        with item:
            async for part in item:
                await write(_unless_failed(part))
        self._files -= 1


async def _produced(
    produce: Callable[[Callable[[T], Awaitable[None]]], Awaitable[None]],
    give: MemoryObjectSendStream[T | Exception],
) -> None:
    with give:
        try:
            await produce(give.send)
        except Exception as error:  # told when its turn comes
            await give.send(error)


def _unless_failed(part: T | Exception) -> T:
    if isinstance(part, Exception):
        raise part
    return part
