"""Git: the tree of a commit, read from the objects of a repository."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import threading
import weakref
from contextlib import ExitStack
from functools import partial
from io import BytesIO
from types import TracebackType
from typing import Self

import anyio
import anyio.to_thread

from aionix.io import FileType
from io_backends.git.fetch import Fetch, Limits
from io_backends.git.snapshot import Snapshot, refuse_submodule
from io_backends.threaded import Status, Stream, Threaded, fail

#: What `read` takes into memory at most, and what an object that is fetched may be unpacked to.
MAX_FILE_SIZE = 1 << 28
#: What may come from a server, and what it may be unpacked to in all.
MAX_FETCH = 1 << 30
MAX_UNPACKED = 1 << 33
# Seconds without a byte from the server.
_SILENCE = 30.0

#: Entries of trees that are kept, at about 300 bytes each: nixpkgs has 100,000.
MAX_CACHED_ENTRIES = 200_000
_KINDS = {
    stat.S_IFREG: FileType.REGULAR,
    stat.S_IFDIR: FileType.DIRECTORY,
    stat.S_IFLNK: FileType.SYMLINK,
}


class Git(Threaded):
    """The tree of one commit of a repository of this machine, bare or a clone; nothing is checked out.

        io = Git("/srv/nixpkgs.git", "24.05")
        value = await aionix.evaluate("(import ./default.nix { }).version", io=io)

    `ref` is a branch, a tag (annotated, too), a remote's branch (`origin/main`), a full name of a ref, the
    id of a commit, or its first four or more digits if they are unambiguous; gitrevisions(7) tells
    which comes first. It is looked up once, at the first look or at `async with`, and then the tree does
    not change, whatever is pushed. `revision` is the id of the commit then.

    Links are followed inside the tree only. A submodule is an entry of unknown kind: its files are
    in another repository. Contents that do not have the id under which they are stored are EIO, as are
    those that are missing (a shallow or partial clone); a repository or `ref` that is not there
    is ENXIO, so that it is not taken for a missing file. A file larger than `max_file_size` bytes is
    EFBIG. Trees that were seen are kept, up to `max_cached_entries` entries.
    """

    name = "git"

    def __init__(
        self,
        path: str | os.PathLike[str],
        ref: str = "HEAD",
        *,
        max_file_size: int = MAX_FILE_SIZE,
        max_cached_entries: int = MAX_CACHED_ENTRIES,
        timeout: float = 60.0,
    ) -> None:
        # One thread: what dulwich keeps open is not made for more.
        super().__init__(threads=1, timeout=timeout, max_file_size=max_file_size)
        self._path = os.path.join(os.getcwd(), path)
        self._ref = ref
        self._take = partial(Snapshot, self._path, ref, max_file_size, max_cached_entries)
        self._opening = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._revision: str | None = None
        self._held = ExitStack()
        weakref.finalize(self, self._held.close)

    @classmethod
    async def fetch(
        cls,
        url: str,
        ref: str = "HEAD",
        directory: str | os.PathLike[str] | None = None,
        *,
        max_seconds: float = 300.0,
        max_bytes: int = MAX_FETCH,
        max_unpacked: int = MAX_UNPACKED,
        max_file_size: int = MAX_FILE_SIZE,
    ) -> Self:
        """The commit at `ref` of a repository elsewhere, fetched at depth 1 over HTTP, without a git program.

            async with await Git.fetch("https://github.com/NixOS/nixpkgs.git", "24.05") as io: ...

        It is put into `directory`, a bare repository that is made if need be, and not fetched again if it is
        there already; or into a temporary one, which is removed at the end of `async with`, or with this
        object. `ref` may be all that `Git` takes, but for the beginning of an id. Credentials in
        the URL are sent to its server only, and never told.

        Raises OSErrors that name the URL without them: EACCES if the server refuses, or redirects to another
        server; ENXIO if there is no such repository or ref; ETIMEDOUT after `max_seconds`, or 30 s
        without a byte; EFBIG if more than `max_bytes` come, if they become more than `max_unpacked`,
        or one object more than `max_file_size`; EPROTO for what is not git's protocol. Then nothing is left
        behind. Raises ValueError for a URL that is none of HTTP.
        """
        silence = min(_SILENCE, max_seconds)
        fetch = Fetch(url, ref, Limits(max_bytes, max_file_size, max_unpacked, silence))
        place = None if directory is None else os.path.join(os.getcwd(), directory)
        fetched = None
        try:
            with anyio.move_on_after(max_seconds):
                path, id = await anyio.to_thread.run_sync(fetch.run, place, abandon_on_cancel=True)
                fetched = cls(path, id, max_file_size=max_file_size)
        finally:
            if fetched is None:
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(fetch.give_up)
        if fetched is None:
            raise OSError(errno.ETIMEDOUT, f"git: not fetched within {max_seconds:g} s", fetch.url)
        if place is None:
            fetched._held.callback(shutil.rmtree, path, ignore_errors=True)
        return fetched

    def __repr__(self) -> str:
        return f"Git({self._path!r}, {self._ref!r})"

    async def __aenter__(self) -> Self:
        await self._hop("/", lambda _: self._opened())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes the repository, which otherwise happens when nobody has this object any more."""
        with anyio.CancelScope(shield=True):
            await self._hop("/", lambda _: self._closed())

    @property
    def revision(self) -> str:
        """The full id of the commit. RuntimeError before the repository was looked at."""
        if self._revision is None:
            raise RuntimeError("the revision is known once `async with` or a look has opened the repository")
        return self._revision

    # What follows blocks, and runs on worker threads.

    def _opened(self) -> Snapshot:
        with self._opening:
            if self._snapshot is None:
                self._snapshot = self._take()
                self._held.callback(self._snapshot.close)
                self._revision = self._snapshot.revision
            return self._snapshot

    def _closed(self) -> None:
        with self._opening:
            self._snapshot = None
            self._held.close()

    def _status(self, path: str) -> Status:
        mode, _ = self._opened().find(path)
        return Status(_kind(mode), bool(stat.S_ISREG(mode) and mode & stat.S_IXUSR))

    def _entries(self, path: str) -> dict[str, FileType]:
        snapshot = self._opened()
        mode, id = snapshot.find(path)
        refuse_submodule(mode)
        if not stat.S_ISDIR(mode):
            fail(errno.ENOTDIR)
        return {name: _kind(mode) for name, (mode, _) in snapshot.tree(id).items()}

    def _stream(self, path: str) -> tuple[int, Stream]:
        snapshot = self._opened()
        mode, id = snapshot.find(path)
        refuse_submodule(mode)
        if stat.S_ISDIR(mode):
            fail(errno.EISDIR)
        data = snapshot.blob(id)
        return len(data), BytesIO(data)

    def _target(self, path: str) -> str | None:
        return self._opened().target(path)


def _kind(mode: int) -> FileType:
    return _KINDS.get(stat.S_IFMT(mode), FileType.UNKNOWN)
