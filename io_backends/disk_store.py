"""DiskStore: what a cache keeps in a directory. Every method blocks: for worker threads."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from threading import Lock

_DIGEST = sha256().digest_size
_UNFINISHED = ".tmp"
#: Seconds after which a file that nobody finished is no longer being written.
_ABANDONED = 3600


class DiskStore:
    """Bytes by key in `directory`, at most about `max_bytes` of them; the longest unused go first.

        store = DiskStore("/home/me/.cache/nixpkgs", 1 << 30)
        store.put("key", b"value")
        store.get("key")

    The directory is made if it is not there; one that others may write to is refused with PermissionError.
    Any number of processes may use it at once: a file appears whole or not at all, and is believed only if
    it is ours and its SHA-256 and key are right, so after a crash, or with files of strangers, there is
    less in it, never something else. Failing to write is not an error, there is just nothing kept.
    """

    def __init__(self, directory: str | os.PathLike[str], max_bytes: int) -> None:
        self._directory = os.fspath(directory)
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._used: int | None = None

    def get(self, key: str) -> bytes | None:
        """What was put there, or None."""
        self._check_directory()
        path = self._path(key)
        try:
            data = _read(path, self._largest)
        except OSError:
            return None
        name = _encoded(key)
        content = data[_DIGEST:]
        if sha256(content).digest() != data[:_DIGEST] or not content.startswith(name):
            return None
        with suppress(OSError):
            os.utime(path)  # it was used
        return content[len(name) :]

    def put(self, key: str, value: bytes) -> None:
        content = _encoded(key) + value
        if len(content) + _DIGEST > self._largest:
            return
        self._check_directory()
        with suppress(OSError):
            self._write(self._path(key), sha256(content).digest() + content)
        with self._lock, suppress(OSError):
            self._used = (self._used or self._measured()) + len(content)
            if self._used > self._max_bytes:
                self._used = self._shrunk()

    def clear(self) -> None:
        self._check_directory()
        with suppress(OSError):
            for entry, _ in self._entries():
                _unlink(entry.path)
        self._used = None

    @property
    def _largest(self) -> int:
        return self._max_bytes // 4

    def _path(self, key: str) -> str:
        return os.path.join(self._directory, sha256(_encoded(key)).hexdigest())

    def _check_directory(self) -> None:
        try:
            os.makedirs(self._directory, mode=0o700, exist_ok=True)
        except (FileNotFoundError, NotADirectoryError) as error:  # which would be taken for a missing file
            raise OSError(errno.ENXIO, "a directory for the cache cannot be made", self._directory) from error
        status = os.stat(self._directory)
        if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise PermissionError(
                errno.EACCES, "a cache in a directory that others may write to is refused", self._directory
            )

    def _write(self, path: str, data: bytes) -> None:
        unfinished = f"{path}.{secrets.token_hex(4)}{_UNFINISHED}"
        try:
            with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
            os.replace(unfinished, path)
        except BaseException:
            _unlink(unfinished)
            raise

    def _entries(self) -> Iterator[tuple[os.DirEntry[str], os.stat_result]]:
        with os.scandir(self._directory) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # another process was quicker
                    yield entry, entry.stat(follow_symlinks=False)

    def _measured(self) -> int:
        return sum(status.st_size for _, status in self._entries())

    def _shrunk(self) -> int:
        """Removes what was not used for longest until a quarter is free. Returns the bytes that stay."""
        files = sorted((status.st_mtime, status.st_size, entry.path) for entry, status in self._entries())
        used = sum(size for _, size, _ in files)
        for modified, size, path in files:
            if path.endswith(_UNFINISHED):
                removable = time.time() - modified > _ABANDONED
            else:
                removable = used > self._max_bytes * 3 // 4
            if removable:
                _unlink(path)
                used -= size
        return used


def _read(path: str, limit: int) -> bytes:
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_size > limit:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
        return file.read(limit)


def _encoded(key: str) -> bytes:
    data = key.encode("utf-8", "surrogateescape")
    return len(data).to_bytes(4, "little") + data


def _unlink(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)
