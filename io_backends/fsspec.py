"""Fsspec: the files of any file system that fsspec knows."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Protocol, cast

from aionix.io import FileType, errno_of, is_missing

try:
    from fsspec import get_filesystem_class
    from fsspec.core import url_to_fs
except ModuleNotFoundError as error:  # pragma: no cover
    raise ImportError('Fsspec needs fsspec: pip install "aionix-eval[fsspec]"') from error

from io_backends.threaded import MAX_FILE_SIZE, Status, Stream, Threaded, fail, read_up_to

#: What a directory may have.
MAX_ENTRIES = 100_000
# Those of which it is known that they have no links, or do not follow them.
_WITHOUT_LINKS = frozenset(
    "abfs abfss adl az data gcs git github gs hf http https memory oss reference s3 s3a tar zip".split()
)
_KINDS = {"file": FileType.REGULAR, "directory": FileType.DIRECTORY, "link": FileType.SYMLINK}

_Info = Mapping[str, object]


class FileSystem(Protocol):
    """What is used of an `fsspec.AbstractFileSystem`."""

    protocol: str | tuple[str, ...]

    def info(self, path: str) -> _Info: ...
    def ls(self, path: str, detail: bool) -> Sequence[_Info]: ...
    def open(self, path: str, mode: str) -> Stream: ...
    def _strip_protocol(self, path: str) -> str: ...


class Fsspec(Threaded):
    """The files below a place of a file system of fsspec, looked at on worker threads.

        Fsspec("memory://tree")
        Fsspec("zip://src::/srv/release.zip")
        Fsspec("gcs://bucket/configs", token="anon")
        Fsspec(my_filesystem, "/configs")

    `target` is a URL, chained if need be, with the file system's options; or a file system and the
    `root` in it. What it caches, and for how long, is the file system's own affair.

    Links are followed inside the root only, which takes a look at every part of a path. `links=False` says
    that the file system has none; this is known of the usual ones. A directory of more than
    `max_entries` or a file of more than `max_file_size` bytes is EFBIG; a look that takes longer than
    `timeout` seconds ETIMEDOUT. Errors do not repeat what the file system says, because that
    often has URLs with credentials in it. Raises ValueError or ImportError at once if the protocol of a
    URL is not known or needs another package.
    """

    name = "fsspec"

    def __init__(
        self,
        target: str | FileSystem,
        root: str = "",
        *,
        links: bool | None = None,
        max_file_size: int = MAX_FILE_SIZE,
        max_entries: int = MAX_ENTRIES,
        threads: int = 16,
        timeout: float = 60.0,
        **options: object,
    ) -> None:
        super().__init__(threads=threads, timeout=timeout, max_file_size=max_file_size)
        self._max_entries = max_entries
        self._opening = threading.Lock()
        self._place: tuple[FileSystem, str] | None = None
        if isinstance(target, str):
            self._url = target
            self._options = options
            protocols: object = _protocol(target)
            get_filesystem_class(protocols)
        else:
            self._place = target, root
            protocols = target.protocol
        names = {protocols} if isinstance(protocols, str) else set(cast("tuple[str, ...]", protocols))
        self.name = f"fsspec {min(names)}"
        self._links = not names & _WITHOUT_LINKS if links is None else links

    def __repr__(self) -> str:
        return f"Fsspec({self.name.removeprefix('fsspec ')})"

    # What follows blocks, and runs on worker threads.

    def _status(self, path: str) -> Status:
        return self._told(self._info(path))

    def _entries(self, path: str) -> dict[str, FileType]:
        if self._status(path).kind is not FileType.DIRECTORY:
            fail(errno.ENOTDIR)
        return {name: self._told(info).kind for name, info in self._list(path).items()}

    def _stream(self, path: str) -> tuple[int, Stream]:
        info = self._info(path)
        kind = self._told(info).kind
        if kind is not FileType.REGULAR:
            fail(errno.EISDIR if kind is FileType.DIRECTORY else errno.EINVAL)
        fs, place = self._at_medium(path)
        with self._blame():
            stream = fs.open(place, "rb")
        size = info.get("size")
        if isinstance(size, int):
            return size, _Blamed(self, stream)
        data = read_up_to(_Blamed(self, stream), self._max_file_size + 1)
        stream.close()
        return len(data), BytesIO(data)

    def _target(self, path: str) -> str | None:
        try:
            info = self._info(path)
        except OSError as error:
            if is_missing(error):
                return None
            raise
        if self._told(info).kind is not FileType.SYMLINK:
            return None
        target = info.get("destination")
        if not isinstance(target, str | bytes):
            fail(errno.EINVAL, f"{self.name}: it does not tell where its links lead")
        return os.fsdecode(target)

    def _info(self, path: str) -> _Info:
        """What the file system says of `path` itself."""
        fs, place = self._at_medium(path)
        try:
            with self._blame():
                return fs.info(place)
        except OSError as error:
            if not self._links or path == "/" or not (is_missing(error) or error.errno == errno.ELOOP):
                raise
        # It may be a link that leads to nothing, of which only its directory tells.
        parent, _, name = path.rpartition("/")
        return self._list(parent or "/").get(name) or fail(errno.ENOENT)

    def _list(self, path: str) -> dict[str, _Info]:
        fs, place = self._at_medium(path)
        with self._blame():
            infos = fs.ls(place, detail=True)
        if len(infos) > self._max_entries:
            fail(errno.EFBIG, f"{self.name}: more than {self._max_entries} entries")
        names = [(str(info.get("name", "")).rstrip("/"), info) for info in infos]
        # Object stores list a directory itself, if there is an object for it.
        found = {name.rpartition("/")[2]: info for name, info in names if name != place.rstrip("/")}
        return {name: info for name, info in found.items() if name not in ("", ".", "..")}

    def _told(self, info: _Info) -> Status:
        mode = info.get("mode")
        executable = isinstance(mode, int) and bool(mode & stat.S_IXUSR)
        kind = _KINDS.get(str(info.get("type")), FileType.UNKNOWN)
        if info.get("islink"):
            kind = FileType.SYMLINK
        return Status(kind, executable and kind is FileType.REGULAR)

    def _at_medium(self, path: str) -> tuple[FileSystem, str]:
        """The file system, and what it calls `path`."""
        with self._opening:
            if self._place is None:
                with self._blame():
                    self._place = url_to_fs(self._url, **self._options)
            fs, root = self._place
        return fs, fs._strip_protocol(root.rstrip("/") + path.rstrip("/"))

    @contextmanager
    def _blame(self) -> Iterator[None]:
        """What a file system raises, which may be anything, is told as an OSError without its words."""
        try:
            yield
        except Exception as error:
            code = errno_of(error) if isinstance(error, OSError) else 0
            words = os.strerror(code) if code else f"it failed ({type(error).__name__})"
            told = OSError(code or errno.EIO, f"{self.name}: {words}")
        else:
            return
        raise told


class _Blamed:
    """A stream of a file system, whose errors are told as OSErrors."""

    def __init__(self, io: Fsspec, stream: Stream) -> None:
        self._io = io
        self._stream = stream

    def read(self, count: int, /) -> bytes:
        with self._io._blame():
            return self._stream.read(count)

    def close(self) -> None:
        with self._io._blame():
            self._stream.close()


def _protocol(url: str) -> str:
    first, chain, _ = url.partition("::")
    protocol, separator, _ = first.partition("://")
    return protocol if separator or chain else "file"
