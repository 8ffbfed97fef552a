"""NAR, the Nix archive: one byte string for each file tree, whatever the disk it lies on.

Only contents, the executable bit, symlink targets and names count; directories are sorted.
(Format: E. Dolstra, "The Purely Functional Software Deployment Model", figure 5.2)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple, TypeAlias

from anyio.lowlevel import checkpoint

from aionix.errors import FileError
from aionix.io import EvalIO, FileType, reason
from aionix.store.hashes import new_hasher

#: Is the entry at this path, of this kind, part of the tree?
Filter: TypeAlias = Callable[[str, FileType], Awaitable[bool]]

# A digest of so much data takes some ten milliseconds; then the event loop has its turn.
CHUNK = 4 << 20


class _Entry(NamedTuple):
    """Something still to be written: the entry of a directory."""

    directory: str
    name: str
    kind: FileType


def field(data: bytes) -> bytes:
    """A length, the bytes, and zeros up to a multiple of eight."""
    return len(data).to_bytes(8, "little") + data + bytes(-len(data) % 8)


def _fields(*words: str) -> bytes:
    return b"".join([field(word.encode("utf-8", "surrogateescape")) for word in words])


async def nar_hash(io: EvalIO, path: str, filter: Filter | None = None) -> bytes:
    """The SHA-256 of the NAR of the file or tree at `path`. Raises FileError."""
    hasher = new_hasher("sha256")
    async for piece in nar_pieces(io, path, filter):
        for start in range(0, len(piece), CHUNK):
            if start:
                await checkpoint()
            hasher.update(piece[start : start + CHUNK])
    return hasher.digest()


async def nar_pieces(io: EvalIO, path: str, filter: Filter | None = None) -> AsyncIterator[bytes]:
    """The NAR in pieces. `filter` is asked about each entry below `path`, parents first."""
    yield field(b"nix-archive-1")
    # What is left to write, the next last: a tree as deep as paths may be needs no deep stack.
    todo: list[bytes | _Entry] = []
    async for piece in _node(io, path, await _kind(io, path), todo):
        yield piece
    while todo:
        item = todo.pop()
        if isinstance(item, bytes):
            yield item
            continue
        inside = f"{item.directory.rstrip('/')}/{item.name}"
        if filter is None or await filter(inside, item.kind):
            yield _fields("entry", "(", "name", item.name, "node")
            todo.append(_fields(")"))
            async for piece in _node(io, inside, item.kind, todo):
                yield piece


async def _kind(io: EvalIO, path: str) -> FileType:
    try:
        return await io.file_type(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileError(f"path '{path}' does not exist", path) from error
    except OSError as error:
        raise _failed("getting status of", path, error) from error


async def _node(io: EvalIO, path: str, kind: FileType, todo: list[bytes | _Entry]) -> AsyncIterator[bytes]:
    """One file, link, or beginning of a directory, whose rest goes to `todo`."""
    if kind is FileType.DIRECTORY:
        yield _fields("(", "type", "directory")
        todo.append(_fields(")"))
        todo += reversed(await _entries(io, path))
    elif kind is FileType.SYMLINK:
        yield _fields("(", "type", "symlink", "target", await _target(io, path), ")")
    elif kind is FileType.REGULAR:
        executable, data = await _contents(io, path)
        yield _fields("(", "type", "regular")
        if executable:
            yield _fields("executable", "")
        yield _fields("contents") + len(data).to_bytes(8, "little")
        yield data
        yield bytes(-len(data) % 8) + _fields(")")
    else:
        raise FileError(f"file '{path}' has an unsupported type", path)


async def _entries(io: EvalIO, path: str) -> list[bytes | _Entry]:
    try:
        found = await io.read_dir(path)
    except OSError as error:
        raise _failed("reading directory", path, error) from error
    ordered = sorted(found, key=lambda name: name.encode("utf-8", "surrogateescape"))
    return [_Entry(path, name, found[name]) for name in ordered]


async def _target(io: EvalIO, path: str) -> str:
    try:
        return await io.read_link(path)
    except OSError as error:
        raise _failed("reading symbolic link", path, error) from error


async def _contents(io: EvalIO, path: str) -> tuple[bool, bytes]:
    try:
        return await io.is_executable(path), await io.read(path)
    except OSError as error:
        raise _failed("opening file", path, error) from error


def _failed(action: str, path: str, error: OSError) -> FileError:
    return FileError(f"{action} '{path}': {reason(error)}", path)
