"""Archive: the files in a tar or zip, read where they are.

An index is made once, on a worker thread; after that names and kinds are looked up in it, and
contents are read on worker threads. Nothing is unpacked onto the disk.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import IO, NoReturn, TypeAlias, TypeVar, cast

import anyio
import anyio.to_thread

from aionix.io import MAX_PATH, EvalIO, FileReader, FileType, follow_links
from io_backends.memory import Symlink

T = TypeVar("T")

#: What `read` takes into memory at most, and what a compressed tar may hold in all.
MAX_FILE_SIZE = 1 << 30
MAX_ENTRIES = 1_000_000
# What is read in the hop that opens a file.
_SMALL = 1 << 18
_PIECE = 1 << 20

# What the standard library raises of an archive that is damaged, or made to do harm. RuntimeError is
# a zip that is encrypted or compressed in a way that is not known, and nested too deep; MemoryError
# a size that no file has.
_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    LookupError,
    MemoryError,
    OverflowError,
    RuntimeError,
    ValueError,
)

Source: TypeAlias = "str | os.PathLike[str] | bytes"


@dataclass(frozen=True, slots=True)
class _File:
    size: int
    executable: bool
    open: Callable[[], IO[bytes]]


@dataclass(frozen=True, slots=True)
class _Special:
    """A device or a fifo."""


_Node: TypeAlias = "dict[str, _Node] | _File | Symlink | _Special"
_Directory: TypeAlias = "dict[str, _Node]"


class Archive(EvalIO):
    """The files of a tar (plain, or compressed by gzip, bzip2 or xz) or zip, whose root is `/`.

        Archive("nixpkgs.tar.gz")
        Archive(await fetch(url))

    `source` is a path of this machine, or the bytes. Links are followed inside only. An archive is
    refused (EINVAL) if it has absolute names, names with `..`, a name twice of which one is a
    directory, or more than `max_entries`. A file larger than `max_file_size` is EFBIG, whatever size it
    claims; so is a compressed tar that holds more in all: it is kept in memory, as there is no
    reading from its middle. The archive must not change meanwhile.
    """

    def __init__(
        self, source: Source, *, max_file_size: int = MAX_FILE_SIZE, max_entries: int = MAX_ENTRIES
    ) -> None:
        if not isinstance(source, bytes) and not os.path.isabs(source):
            source = os.path.join(os.getcwd(), source)
        self._source = source if isinstance(source, bytes) else os.fspath(source)
        self._max_file_size = max_file_size
        self._max_entries = max_entries
        self._lock = anyio.Lock()
        self._index: _Directory | OSError | None = None

    async def read(self, path: str) -> bytes:
        file = await self._file(path)
        return await _in_thread(partial(_read_all, file, path))

    async def read_dir(self, path: str) -> dict[str, FileType]:
        node = _follow(await self._root(), path)
        if not isinstance(node, dict):
            _fail(errno.ENOTDIR, path)
        return {name: _kind(entry) for name, entry in node.items()}

    async def file_type(self, path: str) -> FileType:
        return _kind(_at(await self._root(), path))

    async def read_link(self, path: str) -> str:
        node = _at(await self._root(), path)
        if not isinstance(node, Symlink):
            _fail(errno.EINVAL, path)
        return node.target

    async def is_executable(self, path: str) -> bool:
        node = _at(await self._root(), path)
        return isinstance(node, _File) and node.executable

    @asynccontextmanager
    async def open(self, path: str) -> AsyncIterator[FileReader]:
        file = await self._file(path)
        if file.size <= _SMALL:
            async with EvalIO.open(self, path) as small:
                yield small
            return
        stream = await _in_thread(partial(_opened, file, path))
        try:
            yield _Reader(stream, file.size, path)
        finally:
            stream.close()

    async def resolve(self, path: str) -> str:
        return follow_links(path, partial(_target, await self._root()))

    async def _file(self, path: str) -> _File:
        node = _follow(await self._root(), path)
        if isinstance(node, dict):
            _fail(errno.EISDIR, path)
        if not isinstance(node, _File):
            raise OSError(errno.EINVAL, "not a regular file", path)
        if node.size > self._max_file_size:
            _fail(errno.EFBIG, path)
        return node

    async def _root(self) -> _Directory:
        if self._index is None:
            async with self._lock:
                if self._index is None:
                    self._index = await _in_thread(self._read_index)
        if isinstance(self._index, OSError):
            error = self._index
            raise OSError(error.errno, error.strerror, error.filename)
        return self._index

    # What follows blocks, and runs on worker threads.

    def _read_index(self) -> _Directory | OSError:
        """What is in the archive; or why it cannot be known, which will not change."""
        index = _Index(self._max_entries)
        name = None if isinstance(self._source, bytes) else self._source
        try:
            with _blamed(name):
                self._fill(index)
        except OSError as error:
            return error
        return index.root

    def _fill(self, index: _Index) -> None:
        with _binary(self._source) as file:
            magic = file.read(6)
        if magic.startswith(b"PK"):
            _fill_from_zip(index, self._source)
            return
        for start, decompressor in _COMPRESSED.items():
            if magic.startswith(start):
                whole = _decompressed(self._source, decompressor, self._max_file_size)
                _fill_from_tar(index, whole)
                return
        _fill_from_tar(index, self._source)


class _Index:
    """The tree of an archive, made from its members one by one."""

    def __init__(self, max_entries: int) -> None:
        self.root: _Directory = {}
        self.max_entries = max_entries
        self._entries = 0

    def add(self, name: str, node: _Node) -> None:
        """Adds a member; of two the last counts. Raises ValueError if that cannot be."""
        parts = _parts(name)
        if isinstance(node, dict):
            self._directory(parts, name)
            return
        directory = self._directory(parts[:-1], name)
        if not parts or isinstance(directory.get(parts[-1]), dict):
            raise ValueError(f"'{name}' is a directory, too")
        self._put(directory, parts[-1], node)

    def find(self, name: str) -> _Node | None:
        node: _Node | None = self.root
        for part in _parts(name):
            node = node.get(part) if isinstance(node, dict) else None
        return node

    def _directory(self, parts: list[str], name: str) -> _Directory:
        directory = self.root
        for part in parts:
            if part not in directory:
                self._put(directory, part, {})
            inner = directory[part]
            if not isinstance(inner, dict):
                raise ValueError(f"'{name}' is in something that is no directory")
            directory = inner
        return directory

    def _put(self, directory: _Directory, name: str, node: _Node) -> None:
        directory[name] = node
        self._entries += 1
        if self._entries > self.max_entries:
            raise ValueError(f"it has more than {self.max_entries} entries")


def _parts(name: str) -> list[str]:
    """The parts of a member's name."""
    if len(name) > MAX_PATH:
        raise ValueError(f"the name '{name[:64]}...' is too long")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise ValueError(f"the name '{name}' is not allowed")
    return parts


def _fill_from_tar(index: _Index, source: Source) -> None:
    with _binary(source) as file, tarfile.open(
        fileobj=file, mode="r:", tarinfo=_TarInfo, encoding="utf-8", errors="surrogateescape"
    ) as tar:
        while (member := tar.next()) is not None:
            tar.members = []  # type: ignore[attr-defined]  # it would keep them all
            index.add(member.name, _tar_node(member, source, index))


class _TarInfo(tarfile.TarInfo):
    """Refuses sizes below zero, which made Python before 3.13.6 read the same member for ever."""

    def _block(self, count: int) -> int:
        if count < 0:
            raise tarfile.TarError("a size below zero")
        return int(super()._block(count))  # type: ignore[misc]  # it is not in the stubs


def _tar_node(member: tarfile.TarInfo, source: Source, index: _Index) -> _Node:
    if member.isdir():
        return {}
    if member.islnk():
        linked = index.find(member.linkname)
        if linked is None or isinstance(linked, dict):
            raise ValueError(f"'{member.name}' is a link to '{member.linkname}', which is no file")
        return linked
    if member.issym():
        return _link(member.name, member.linkname)
    if not member.isreg() or member.issparse():
        return _Special()
    start = member.offset_data
    return _File(member.size, bool(member.mode & stat.S_IXUSR), partial(_section, source, start))


def _section(source: Source, start: int) -> IO[bytes]:
    file = _binary(source)
    file.seek(start)
    return file


def _fill_from_zip(index: _Index, source: Source) -> None:
    zip = zipfile.ZipFile(BytesIO(source) if isinstance(source, bytes) else source)
    members = zip.infolist()
    if len(members) > index.max_entries:
        raise ValueError(f"it has more than {index.max_entries} entries")
    for member in members:
        index.add(member.filename, _zip_node(zip, member))


def _zip_node(zip: zipfile.ZipFile, member: zipfile.ZipInfo) -> _Node:
    if member.is_dir():
        return {}
    # The upper half is a Unix mode if Unix wrote it, else 0.
    mode = member.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFLNK:
        with zip.open(member) as file:
            return _link(member.filename, file.read(MAX_PATH + 1).decode("utf-8", "surrogateescape"))
    if kind not in (0, stat.S_IFREG):
        return _Special()
    return _File(member.file_size, bool(mode & stat.S_IXUSR), partial(zip.open, member))


def _link(name: str, target: str) -> Symlink:
    if len(target) > MAX_PATH or "\0" in target:
        raise ValueError(f"the target of the link '{name}' is not allowed")
    return Symlink(target)


def _binary(source: Source) -> IO[bytes]:
    return BytesIO(source) if isinstance(source, bytes) else open(source, "rb")


_Decompressor: TypeAlias = Callable[[IO[bytes]], IO[bytes]]
# By the bytes that such a file begins with.
_COMPRESSED: dict[bytes, _Decompressor] = {
    b"\x1f\x8b": lambda file: cast(IO[bytes], gzip.GzipFile(fileobj=file)),
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}


def _decompressed(source: Source, decompressor: _Decompressor, limit: int) -> bytes:
    whole = bytearray()
    with _binary(source) as file, decompressor(file) as stream:
        while piece := stream.read(_PIECE):
            whole += piece
            if len(whole) > limit:
                raise OSError(errno.EFBIG, f"{os.strerror(errno.EFBIG)} (more than {limit} bytes)")
    return bytes(whole)


def _opened(file: _File, path: str) -> IO[bytes]:
    with _blamed(path):
        return file.open()


def _read_all(file: _File, path: str) -> bytes:
    with _blamed(path), file.open() as stream:
        data = stream.read(file.size)
        if len(data) != file.size:
            raise EOFError("it ends too early")
        return data


@contextmanager
def _blamed(path: str | None) -> Iterator[None]:
    """Damage is told as an OSError about `path`."""
    try:
        yield
    except (*_DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno:  # those of gzip and bz2 have none
            raise
        raise OSError(errno.EINVAL, f"not a sound archive: {error}", path) from error


class _Reader:
    """A FileReader over a file that is too large for one piece."""

    def __init__(self, stream: IO[bytes], size: int, path: str) -> None:
        self._stream = stream
        self._left = self.size = size
        self._path = path

    async def read(self, count: int) -> bytes:
        piece = await _in_thread(partial(self._read, min(count, self._left)))
        self._left -= len(piece)
        return piece

    def _read(self, count: int) -> bytes:
        with _blamed(self._path):
            return self._stream.read(count)


async def _in_thread(function: Callable[[], T]) -> T:
    return await anyio.to_thread.run_sync(function, abandon_on_cancel=True)


def _at(root: _Directory, path: str) -> _Node:
    """The node at `path` itself, its parents' links followed."""
    parent, _, name = path.rpartition("/")
    return _find(root, follow_links(parent, partial(_target, root)) + "/" + name)


def _follow(root: _Directory, path: str) -> _Node:
    return _find(root, follow_links(path, partial(_target, root)))


def _find(root: _Directory, path: str) -> _Node:
    """The node at a path whose parents are free of links."""
    node: _Node = root
    for name in path.split("/"):
        if not name:
            continue
        if not isinstance(node, dict):
            _fail(errno.ENOTDIR, path)
        if name not in node:
            _fail(errno.ENOENT, path)
        node = node[name]
    return node


def _target(root: _Directory, path: str) -> str | None:
    try:
        node = _find(root, path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return node.target if isinstance(node, Symlink) else None


def _kind(node: _Node) -> FileType:
    if isinstance(node, dict):
        return FileType.DIRECTORY
    if isinstance(node, Symlink):
        return FileType.SYMLINK
    return FileType.REGULAR if isinstance(node, _File) else FileType.UNKNOWN


def _fail(code: int, path: str) -> NoReturn:
    raise OSError(code, os.strerror(code), path)
