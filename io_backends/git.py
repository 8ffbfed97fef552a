"""Git: the tree of a commit, read from the objects of a repository."""

from __future__ import annotations

import errno
import os
import re
import stat
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from io import BytesIO
from types import TracebackType
from typing import Self

from aionix.io import MAX_PATH, FileType

try:
    from dulwich.lru_cache import LRUSizeCache
    from dulwich.objects import (
        S_IFGITLINK,
        Blob,
        Commit,
        ObjectID,
        ShaFile,
        Tag,
        Tree,
        object_header,
        parse_tree,
    )
    from dulwich.refs import Ref, check_ref_format
    from dulwich.repo import Repo
except ModuleNotFoundError as error:  # pragma: no cover
    raise ImportError('Git needs dulwich: pip install "aionix-eval[git]"') from error

from io_backends.threaded import MAX_FILE_SIZE, Status, Stream, Threaded, fail

#: Entries of trees that are kept, at about 300 bytes each: nixpkgs has 100,000.
MAX_CACHED_ENTRIES = 200_000
# A tag that leads through more tags than that is refused.
_MAX_TAGS = 50
# Where a short name is looked for, in this order: gitrevisions(7).
_PLACES = ("{}", "refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}", "refs/remotes/{}/HEAD")
_KINDS = {
    stat.S_IFREG: FileType.REGULAR,
    stat.S_IFDIR: FileType.DIRECTORY,
    stat.S_IFLNK: FileType.SYMLINK,
}
_HEX = re.compile(r"[0-9a-f]{4,64}")

_Entry = tuple[int, ObjectID]


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
        self._take = partial(_Snapshot, self._path, ref, max_file_size, max_cached_entries)
        self._opening = threading.Lock()
        self._snapshot: _Snapshot | None = None
        self._close: Callable[[], object] = bool

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
        self._close()

    @property
    def revision(self) -> str:
        """The full id of the commit. RuntimeError before the repository was looked at."""
        if self._snapshot is None:
            raise RuntimeError("the revision is known once `async with` or a look has opened the repository")
        return self._snapshot.revision

    # What follows blocks, and runs on worker threads.

    def _opened(self) -> _Snapshot:
        with self._opening:
            if self._snapshot is None:
                self._snapshot = self._take()
                self._close = weakref.finalize(self, self._snapshot.close)
            return self._snapshot

    def _status(self, path: str) -> Status:
        mode, _ = self._opened().find(path)
        return Status(_kind(mode), bool(stat.S_ISREG(mode) and mode & stat.S_IXUSR))

    def _entries(self, path: str) -> dict[str, FileType]:
        snapshot = self._opened()
        mode, id = snapshot.find(path)
        _refuse_submodule(mode)
        if not stat.S_ISDIR(mode):
            fail(errno.ENOTDIR)
        return {name: _kind(mode) for name, (mode, _) in snapshot.tree(id).items()}

    def _stream(self, path: str) -> tuple[int, Stream]:
        snapshot = self._opened()
        mode, id = snapshot.find(path)
        _refuse_submodule(mode)
        if stat.S_ISDIR(mode):
            fail(errno.EISDIR)
        data = snapshot.blob(id)
        return len(data), BytesIO(data)

    def _target(self, path: str) -> str | None:
        return self._opened().target(path)


class _Snapshot:
    """The tree of a commit. Every method may block, and may be called from any thread."""

    def __init__(self, path: str, ref: str, max_size: int, max_entries: int) -> None:
        self._lock = threading.RLock()
        self._max_size = max_size
        self._trees: LRUSizeCache[ObjectID, dict[str, _Entry]] = LRUSizeCache(max_entries, compute_size=len)
        with _damage(f"no sound repository at {path}", errno.ENXIO):
            self._repo = Repo(path)
        try:
            id, commit = self._commit(_find_ref(self._repo, ref), ref)
        except BaseException:
            self.close()
            raise
        self.revision = id.decode()
        self._root: _Entry = (stat.S_IFDIR, commit.tree)

    def close(self) -> None:
        with self._lock:
            self._repo.close()

    def find(self, path: str) -> _Entry:
        """The mode and the id of what is at a path whose parents are free of links."""
        entry = self._root
        for name in path.split("/"):
            if name:
                entry = self._step(entry, name)
        return entry

    def _step(self, directory: _Entry, name: str) -> _Entry:
        mode, id = directory
        _refuse_submodule(mode)
        if not stat.S_ISDIR(mode):
            fail(errno.ENOTDIR)
        return self.tree(id).get(name) or fail(errno.ENOENT)

    def target(self, path: str) -> str | None:
        try:
            mode, id = self.find(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not stat.S_ISLNK(mode):
            return None
        target = self.blob(id)
        if len(target) > MAX_PATH or b"\0" in target:
            fail(errno.EIO, "git: the target of a link is not allowed")
        return target.decode("utf-8", "surrogateescape")

    def tree(self, id: ObjectID) -> dict[str, _Entry]:
        with self._lock:
            if id not in self._trees:
                content = self._content(id, Tree)
                with _damage(f"the tree {id.decode()} is damaged"):
                    self._trees[id] = dict(_tree_entries(content, self._repo.object_format.oid_length))
            return self._trees[id]

    def blob(self, id: ObjectID) -> bytes:
        return self._content(id, Blob)

    def _commit(self, id: ObjectID, ref: str) -> tuple[ObjectID, Commit]:
        """The commit that `id` is, or that a tag `id` is of."""
        for _ in range(_MAX_TAGS):
            kind, content = self._object(id)
            with _damage(f"the object {id.decode()} is damaged"):
                if kind == Commit.type_num:
                    return id, Commit.from_string(content)
                if kind != Tag.type_num:
                    break
                id = Tag.from_string(content).object[1]
        fail(errno.ENXIO, f"git: '{ref}' leads to no commit")

    def _content(self, id: ObjectID, kind: type[ShaFile]) -> bytes:
        found, content = self._object(id)
        if found != kind.type_num:
            fail(errno.EIO, f"git: the object {id.decode()} is no {kind.type_name.decode()}")
        return content

    def _object(self, id: ObjectID) -> tuple[int, bytes]:
        """The type and the content of an object."""
        store = self._repo.object_store
        with self._lock, _damage(f"the object {id.decode()} is damaged"):
            try:
                kind, content = store.get_raw(id)
            except KeyError:
                fail(errno.EIO, f"git: the object {id.decode()} is missing (is the repository partial?)")
            if len(content) > self._max_size:
                fail(errno.EFBIG, f"git: more than {self._max_size} bytes")
            hash = self._repo.object_format.new_hash()
            hash.update(object_header(kind, len(content)))
            hash.update(content)
            if hash.hexdigest().encode() != id:
                raise ValueError("the content is not what its id says")
        return kind, content


@contextmanager
def _damage(what: str, code: int = errno.EIO) -> Iterator[None]:
    """What dulwich raises of damaged data, which is nearly anything, is told as an OSError."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(code, f"git: {what}") from error


def _find_ref(repo: Repo, ref: str) -> ObjectID:
    """The id that `ref` stands for: gitrevisions(7), its first two sections."""
    if len(ref) == repo.object_format.hex_length and _HEX.fullmatch(ref):
        return ObjectID(ref.encode())
    for place in _PLACES:
        name = Ref(os.fsencode(place.format(ref)))
        if name == b"HEAD" or check_ref_format(name):
            with _damage(f"the ref '{ref}' cannot be read"), suppress(KeyError):
                return repo.refs[name]
    if _HEX.fullmatch(ref):
        return _find_short_id(repo, ref)
    fail(errno.ENXIO, f"git: there is no '{ref}'")


def _find_short_id(repo: Repo, digits: str) -> ObjectID:
    with _damage("the objects cannot be listed"):
        found = [id for id in repo.object_store.iter_prefix(digits.encode()) if _is_commit(repo, id)]
    if len(found) != 1:
        fail(errno.ENXIO, f"git: {len(found) or 'no'} commits have an id that begins with '{digits}'")
    return found[0]


def _is_commit(repo: Repo, id: ObjectID) -> bool:
    return repo.object_store.get_raw(id)[0] in (Commit.type_num, Tag.type_num)


def _tree_entries(content: bytes, id_length: int) -> Iterator[tuple[str, _Entry]]:
    for name, mode, id in parse_tree(content, id_length):
        if name in (b"", b".", b"..") or b"/" in name:
            raise ValueError("a name in it is not allowed")
        yield name.decode("utf-8", "surrogateescape"), (mode, ObjectID(id))


def _kind(mode: int) -> FileType:
    return _KINDS.get(stat.S_IFMT(mode), FileType.UNKNOWN)


def _refuse_submodule(mode: int) -> None:
    if stat.S_IFMT(mode) == S_IFGITLINK:
        fail(errno.EINVAL, "git: a submodule, whose files are in another repository")
