"""Code images in a directory: written by any number of processes, and killed ones, at any time.

An image is found under its key: the hash of everything that it depends on. A file is written under
another name and then renamed, so that it is there whole or not at all; it says its key and a checksum,
so that a file that is damaged, cut short or of another name is known, and removed. What
cannot be read or written is a miss, never an error. Everything here blocks.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterable
from contextlib import suppress
from threading import Lock
from zlib import crc32

MAGIC = b"aionix code\n"

#: Bytes of all images together. Who finds more, before it adds its own, removes the oldest until
#: a quarter is free.
MAX_SIZE = 512 << 20

_SUFFIX, _UNFINISHED = ".code", ".new"
_DAY = 24 * 60 * 60


class CodeCache:
    """The images in `directory`, which is made if it is missing.

    Only a directory that is this user's and that nobody else can write is used: what is in it is
    run. It stays open, so that it remains the one that was looked at.
    """

    def __init__(self, directory: str | os.PathLike[str], max_size: int = MAX_SIZE) -> None:
        self._path = os.fspath(directory)
        self._max_size = max_size
        self._directory: int | None = None
        self._opened = False
        self._opening = Lock()
        self._storing = Lock()

    def __del__(self) -> None:
        if self._directory is not None:
            os.close(self._directory)

    def load(self, key: bytes) -> memoryview | None:
        """The image under `key`, unchanged since it was stored; None if there is none."""
        directory = self._open()
        if directory is None:
            return None
        name = key.hex() + _SUFFIX
        try:
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
        except OSError:
            return None
        try:
            status = os.fstat(file)
            data = os.read(file, status.st_size) if stat.S_ISREG(status.st_mode) else b""
            image = _checked(key, data)
            if image is not None and status.st_mtime < time.time() - _DAY:
                os.utime(file)  # it is in use: others go first
        except OSError:
            return None
        finally:
            os.close(file)
        if image is None:
            self._remove(directory, name)
        return image

    def store(self, images: Iterable[tuple[bytes, bytes]]) -> None:
        """Keeps images under their keys, as far as that is possible."""
        directory = self._open()
        if directory is None:
            return
        with self._storing, suppress(OSError):  # a full disk, or no right to write
            self._tidy(directory)  # first: whoever is killed while writing does not come to it later
            for key, image in images:
                self._write(directory, key, image)

    def _open(self) -> int | None:
        with self._opening:
            if not self._opened:
                self._opened = True
                self._directory = _own_directory(self._path)
            return self._directory

    def _write(self, directory: int, key: bytes, image: bytes) -> None:
        name = key.hex() + _SUFFIX
        unfinished = os.urandom(8).hex() + _UNFINISHED
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(unfinished, flags, 0o600, dir_fd=directory), "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # held until we are done, or dead
            try:
                file.write(_header(key, image) + image)
                file.flush()
                os.replace(unfinished, name, src_dir_fd=directory, dst_dir_fd=directory)
            except BaseException:
                self._remove(directory, unfinished)
                raise

    def _tidy(self, directory: int) -> None:
        """Removes what killed processes left, and the oldest images if there are too many."""
        found = []
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.name.endswith(_UNFINISHED):
                    if _is_abandoned(directory, entry.name):
                        self._remove(directory, entry.name)
                elif entry.name.endswith(_SUFFIX):
                    with suppress(FileNotFoundError):
                        status = entry.stat(follow_symlinks=False)
                        found.append((status.st_mtime, status.st_size, entry.name))
        total = sum([size for _, size, _ in found])
        if total <= self._max_size:
            return
        for _, size, name in sorted(found):
            self._remove(directory, name)
            total -= size
            if total <= self._max_size * 3 // 4:
                return

    @staticmethod
    def _remove(directory: int, name: str) -> None:
        with suppress(OSError):
            os.unlink(name, dir_fd=directory)


def _own_directory(path: str) -> int | None:
    """A descriptor of the directory at `path` if it is only ours to write; None otherwise."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        directory = os.open(path, flags)
    except OSError:
        return None
    status = os.fstat(directory)
    if status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return directory
    os.close(directory)
    return None


def _is_abandoned(directory: int, name: str) -> bool:
    """Does nobody hold the lock of this file any more? Should it only not have been taken yet, the
    writer finds its file gone, and its image is not kept: that does no harm."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(file)
    return True


def _header(key: bytes, image: bytes | memoryview) -> bytes:
    # Against accidents, as in a zip file; whoever means harm could write any checksum. (SHA-256 takes four
    # times as long: 2 of the 85 ms for a package of nixpkgs.)
    return MAGIC + key + len(image).to_bytes(8, "little") + crc32(image).to_bytes(4, "little")


def _checked(key: bytes, data: bytes) -> memoryview | None:
    """The image in a file; None if the file is not what was written under `key`."""
    size = len(MAGIC) + len(key) + 12
    image = memoryview(data)[size:]
    return image if data[:size] == _header(key, image) else None
