"""Snapshot: the objects of one commit, as blocking functions."""

from __future__ import annotations

import errno
import stat
import threading
from collections.abc import Iterator
from typing import TypeAlias

from dulwich.lru_cache import LRUSizeCache
from dulwich.objects import S_IFGITLINK, Blob, Commit, ObjectID, ShaFile, Tag, Tree, object_header, parse_tree
from dulwich.repo import Repo

from aionix.io import MAX_PATH
from io_backends.git.refs import damage, find_ref
from io_backends.paths import checked_name
from io_backends.threaded import fail

# A tag that leads through more tags than that is refused.
_MAX_TAGS = 50

#: A mode and an id, as a tree has them.
Entry: TypeAlias = tuple[int, ObjectID]


class Snapshot:
    """The tree of a commit. Every method may block, and may be called from any thread."""

    def __init__(self, path: str, ref: str, max_size: int, max_entries: int) -> None:
        self._lock = threading.RLock()
        self._max_size = max_size
        self._trees: LRUSizeCache[ObjectID, dict[str, Entry]] = LRUSizeCache(max_entries, compute_size=len)
        with damage(f"no sound repository at {path}", errno.ENXIO):
            self._repo = Repo(path)
        try:
            id, tree = self._commit(find_ref(self._repo, ref), ref)
        except BaseException:
            self.close()
            raise
        self.revision = id.decode()
        self._root: Entry = (stat.S_IFDIR, tree)

    def close(self) -> None:
        with self._lock:
            self._repo.close()

    def find(self, path: str) -> Entry:
        """The mode and the id of what is at a path whose parents are free of links."""
        entry = self._root
        for name in path.split("/"):
            if name:
                entry = self._step(entry, name)
        return entry

    def _step(self, directory: Entry, name: str) -> Entry:
        mode, id = directory
        refuse_submodule(mode)
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

    def tree(self, id: ObjectID) -> dict[str, Entry]:
        with self._lock:
            if id in self._trees:
                return self._trees[id]
            content = self._content(id, Tree)
            with damage(f"the tree {id.decode()} is damaged"):
                tree = dict(_tree_entries(content, self._repo.object_format.oid_length))
            self._trees[id] = tree
            return tree

    def blob(self, id: ObjectID) -> bytes:
        return self._content(id, Blob)

    def _commit(self, id: ObjectID, ref: str) -> tuple[ObjectID, ObjectID]:
        """The id and the tree of the commit that `id` is, or that a tag `id` is of."""
        for _ in range(_MAX_TAGS):
            kind, content = self._object(id)
            with damage(f"the object {id.decode()} is damaged"):
                if kind == Commit.type_num:
                    return id, Commit.from_string(content).tree
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
        with self._lock, damage(f"the object {id.decode()} is damaged"):
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


def _tree_entries(content: bytes, id_length: int) -> Iterator[tuple[str, Entry]]:
    for name, mode, id in parse_tree(content, id_length):
        yield checked_name(name.decode("utf-8", "surrogateescape")), (mode, ObjectID(id))


def refuse_submodule(mode: int) -> None:
    """EINVAL if that is the mode of one."""
    if stat.S_IFMT(mode) == S_IFGITLINK:
        fail(errno.EINVAL, "git: a submodule, whose files are in another repository")
