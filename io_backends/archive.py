"""Archive: the files in a tar or zip, read where they are.

An index is made once, on a worker thread; after that names and kinds are looked up in it, and
contents are read on worker threads. Nothing is unpacked onto the disk.
"""

from __future__ import annotations

import stat
import struct
import tarfile
import weakref
import zipfile
from functools import partial
from typing import IO

from aionix.io import MAX_PATH
from io_backends.indexed import Directory, Node, Special
from io_backends.memory import Symlink
from io_backends.stored import Opener, Packed, check_ratio, section, stored_file

# The list of members at the end of a zip may have that many bytes for each of `max_entries`, or in all.
_LISTED = 1 << 8
_FEW = 1 << 24
# Of an entry in it: the bytes before its name, and where the lengths of what follows are. APPNOTE, 4.3.12.
_ENTRY_HEAD = 46
_ENTRY_LENGTHS = 28


class Archive(Packed):
    """The files of a tar (plain, or compressed by gzip, bzip2, xz or zstd) or zip, whose root is `/`.

        Archive("nixpkgs.tar.gz")
        Archive(await fetch(url))
        Archive("/nixpkgs.tar.zst", io=Http("https://example.org"))

    `source` is a path of this machine, the bytes, or a path in the backend `io`, from which it is
    fetched whole when it is first looked at: a tar has no list of what is in it, and most of a
    compressed one has to be read to read anything. What was fetched and inflated is kept in files
    without a name, `max_size` bytes each at most (EFBIG).

    Links are followed inside only. An archive that is not there is ENXIO, so that it is not taken for a
    missing file in it. One is refused (EINVAL) if it has absolute names, names with
    `..`, a name twice of which one is a directory, or more than `max_entries`. EFBIG is a file larger than
    `max_file_size`, whatever size it claims, and what is inflated to more than 64 MiB and `max_ratio`
    times its size. The archive must not change meanwhile. zstd needs the extra `zstd` before Python 3.14.
    """

    def _index(self, source: Opener) -> Node:
        index = _Index(self._max_entries)
        with source() as file:
            magic = file.read(2)
        if magic == b"PK":
            _fill_from_zip(index, source, self._max_ratio)
        else:
            _fill_from_tar(index, source)
        return index.root


class _Index:
    """The tree of an archive, made from its members one by one."""

    def __init__(self, max_entries: int) -> None:
        self.root: Directory = {}
        self.max_entries = max_entries
        self._entries = 0

    def add(self, name: str, node: Node) -> None:
        """Adds a member; of two the last counts. Raises ValueError if that cannot be."""
        parts = _parts(name)
        if isinstance(node, dict):
            self._directory(parts, name)
            return
        directory = self._directory(parts[:-1], name)
        if not parts or isinstance(directory.get(parts[-1]), dict):
            raise ValueError(f"'{name}' is a directory, too")
        self._put(directory, parts[-1], node)

    def find(self, name: str) -> Node | None:
        node: Node | None = self.root
        for part in _parts(name):
            node = node.get(part) if isinstance(node, dict) else None
        return node

    def _directory(self, parts: list[str], name: str) -> Directory:
        directory = self.root
        for part in parts:
            if part not in directory:
                self._put(directory, part, {})
            inner = directory[part]
            if not isinstance(inner, dict):
                raise ValueError(f"'{name}' is in something that is no directory")
            directory = inner
        return directory

    def _put(self, directory: Directory, name: str, node: Node) -> None:
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


def _fill_from_tar(index: _Index, source: Opener) -> None:
    with source() as file, tarfile.open(
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


def _tar_node(member: tarfile.TarInfo, source: Opener, index: _Index) -> Node:
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
        return Special()
    return section(source, member.offset_data, member.size, bool(member.mode & stat.S_IXUSR))


def _fill_from_zip(index: _Index, source: Opener, max_ratio: float) -> None:
    with source() as file:
        _check_zip_directory(file, index.max_entries)
    file = source()
    zip = zipfile.ZipFile(file)
    weakref.finalize(zip, file.close)
    for member in zip.infolist():
        index.add(member.filename, _zip_node(zip, member, max_ratio))


def _check_zip_directory(file: IO[bytes], max_entries: int) -> None:
    """ValueError if the list of members is too large for zipfile, which takes 600 bytes and 10 us for
    an entry of 46. What the archive says about their number is not asked."""
    end = zipfile._EndRecData(file)  # type: ignore[attr-defined]  # it is not in the stubs
    if end is None:
        return  # no zip: zipfile says so
    size, place = end[zipfile._ECD_SIZE], end[zipfile._ECD_LOCATION]  # type: ignore[attr-defined]
    if end[0] == zipfile.stringEndArchive64:  # type: ignore[attr-defined]
        place -= zipfile.sizeEndCentDir64 + zipfile.sizeEndCentDir64Locator  # type: ignore[attr-defined]
    if size > max(_FEW, _LISTED * max_entries):
        raise ValueError(f"its list of members has {size} bytes")
    file.seek(max(0, place - size))
    directory = file.read(size)
    at = count = 0
    while at < size:
        count += 1
        if count > max_entries:
            raise ValueError(f"it has more than {max_entries} entries")
        at += _ENTRY_HEAD + sum(struct.unpack_from("<3H", directory, at + _ENTRY_LENGTHS))


def _zip_node(zip: zipfile.ZipFile, member: zipfile.ZipInfo, max_ratio: float) -> Node:
    if member.is_dir():
        return {}
    # The upper half is a Unix mode if Unix wrote it, else 0.
    mode = member.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFLNK:
        with zip.open(member) as file:
            return _link(member.filename, file.read(MAX_PATH + 1).decode("utf-8", "surrogateescape"))
    if kind not in (0, stat.S_IFREG):
        return Special()
    content = partial(_zip_content, zip, member, max_ratio)
    return stored_file(content, member.file_size, bool(mode & stat.S_IXUSR))


def _zip_content(zip: zipfile.ZipFile, member: zipfile.ZipInfo, max_ratio: float) -> IO[bytes]:
    check_ratio(member.file_size, member.compress_size, max_ratio)
    return zip.open(member)


def _link(name: str, target: str) -> Symlink:
    if len(target) > MAX_PATH or "\0" in target:
        raise ValueError(f"the target of the link '{name}' is not allowed")
    return Symlink(target)
