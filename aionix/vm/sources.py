"""Files on their way into the store: what is copied of them, and under which path."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import anyio

from aionix.errors import FileError, InvalidArgument
from aionix.io import EvalIO, FileType
from aionix.store.derivation import EXTENSION
from aionix.store.hashes import Hash
from aionix.store.nar import Filter, file_hash, nar_hash
from aionix.store.paths import base_name, fixed_output_path
from aionix.store.reading import read_into
from aionix.store.virtual import Source, VirtualStore
from aionix.values.strings import with_context
from aionix.vm.dependencies import Trail, affected, asking
from aionix.vm.file_errors import Doing, resolved_file_error
from aionix.vm.run import use


@dataclass(slots=True)
class Copy:
    """What to copy: a file or tree, or what `keep` chooses of it, addressed by its NAR or, without
    `recursive`, by its contents; `expected` is the hash that it should have."""

    path: str
    name: str
    keep: Filter | None = None
    recursive: bool = True
    expected: Hash | None = None


class _Read(NamedTuple):
    """A file or tree that is hashed: as a NAR, or, not `recursive`, by its contents."""

    path: str
    recursive: bool


class Copied(NamedTuple):
    """Where a file or tree was copied to, and what was looked at for that."""

    store_path: str
    trail: Trail


class Sources:
    """Finds the store paths of files and trees. Each is read once, by whoever asks first."""

    def __init__(self, io: EvalIO, store: VirtualStore) -> None:
        self._io = io
        self._store = store
        self._copied: dict[str, Copied] = {}
        self._digests: dict[_Read, bytes] = {}
        self._trails: dict[str | _Read, Trail] = {}
        #: What is being read, and how those are told who wait for it, if any.
        self._reading: dict[_Read, anyio.Event | None] = {}

    def copied(self, path: str) -> Copied | None:
        """What `copy` has said of `path` before."""
        return self._copied.get(path)

    async def copy(self, path: str) -> str:
        """The store path, with itself as its context, of the file or tree at `path`, itself a link or not.

        Raises FileError, InvalidArgument.
        """
        while True:
            trail = self._used(path)
            known = self._copied.get(path)
            if known is not None:
                return known.store_path
            with asking(trail):
                store_path = await self._copy(path)
            if self._trails.get(path) is trail:  # else it has changed meanwhile
                self._copied[path] = Copied(store_path, trail)

    def forget(self, paths: Iterable[str]) -> None:
        """What `paths` matter to is to be read again."""
        stale = affected(self._trails.values(), paths)
        for key in [key for key, trail in self._trails.items() if trail in stale]:
            del self._trails[key]
            if isinstance(key, _Read):
                self._digests.pop(key, None)
            else:
                self._copied.pop(key, None)

    def _used(self, what: str | _Read) -> Trail:
        """Where to note what is looked at for that; whoever asks depends on it."""
        trail = self._trails.setdefault(what, Trail())
        use(trail)
        return trail

    async def _copy(self, path: str) -> str:
        if path.endswith(EXTENSION):
            raise InvalidArgument(f"file names are not allowed to end in '{EXTENSION}'")
        store_path = await self._io.import_path(path)
        if store_path is None:
            digest = await self._digest(_Read(path, True))
            store_path = fixed_output_path(base_name(path), "r:", "sha256", digest, self._store.directory)
        return self._added(store_path, Source(await self._itself(path)))

    async def _itself(self, path: str) -> str:
        """`path` without links above it, if it lies in the store."""
        if not path.startswith(self._store.directory + "/"):
            return path
        above, _, name = path.rpartition("/")
        return f"{await self._resolved(above)}/{name}"

    async def add(self, copy: Copy) -> str:
        """The store path, with itself as its context, of what `copy` describes; links at its path are
        followed.

        Raises FileError, InvalidArgument, and what its filter raises.
        """
        origin = await self._resolved(copy.path)
        if not copy.recursive or copy.keep is None:
            digest, kept = await self._digest(_Read(origin, copy.recursive)), None
        else:
            digest, kept = await self._filtered_digest(origin, copy.keep)
        if copy.expected is not None and copy.expected.digest != digest:
            raise InvalidArgument(f"store path mismatch in (possibly filtered) path added from '{copy.path}'")
        method = "r:" if copy.recursive else ""
        path = fixed_output_path(copy.name, method, "sha256", digest, self._store.directory)
        return self._added(path, Source(origin, kept))

    def _added(self, path: str, source: Source) -> str:
        self._store.add_source(path, self._original(source))
        return with_context(path, frozenset((path,)))

    def _original(self, source: Source) -> Source:
        """`source`; where it was copied from another one, as a part of what that was copied from."""
        prefix = self._store.directory + "/"
        base, _, part = source.origin.removeprefix(prefix).partition("/")
        outer = self._store.sources.get(prefix + base) if source.origin.startswith(prefix) else None
        if outer is None:
            return source
        if not part:
            return Source(outer.origin, outer.kept if source.kept is None else source.kept)
        kept = source.kept
        if kept is None and outer.kept is not None:
            below = f"{part}/"
            kept = frozenset([path.removeprefix(below) for path in outer.kept if path.startswith(below)])
        return Source(f"{outer.origin}/{part}", kept)

    async def _resolved(self, path: str) -> str:
        try:
            return await self._io.resolve(path)
        except OSError as error:
            raise await resolved_file_error(self._io, error, path, Doing.STATUS) from error

    async def _digest(self, read: _Read) -> bytes:
        while True:
            trail = self._used(read)
            known = self._digests.get(read)
            if known is not None:
                return known
            if read in self._reading:
                done = self._reading[read] = self._reading[read] or anyio.Event()
                await done.wait()
                continue
            self._reading[read] = None
            try:
                with asking(trail):
                    digest = await self._hash(read)
                if self._trails.get(read) is trail:  # else it has changed meanwhile
                    self._digests[read] = digest
            finally:  # after an error, or a cancellation, the next one tries
                waited_for = self._reading.pop(read)
                if waited_for is not None:
                    waited_for.set()

    def _hash(self, read: _Read) -> Awaitable[bytes]:
        if read.recursive:
            return nar_hash(self._io, read.path)
        return hash_contents(self._io, read.path, "sha256")

    async def _filtered_digest(self, origin: str, keep: Filter) -> tuple[bytes, frozenset[str]]:
        """The digest of what `keep` lets through, and the paths of that, relative to `origin`."""
        start = len(origin.rstrip("/")) + 1
        kept: set[str] = set()

        async def keep_and_note(path: str, kind: FileType) -> bool:
            if await keep(path, kind):
                kept.add(path[start:])
                return True
            return False

        return await nar_hash(self._io, origin, keep_and_note), frozenset(kept)


async def hash_contents(io: EvalIO, path: str, algorithm: str) -> bytes:
    """The digest of a file's contents, links followed. Raises FileError, worded as for `readFile`."""
    try:
        return await file_hash(io, path, algorithm)
    except FileError as error:
        if isinstance(error.__cause__, OSError):
            raise await resolved_file_error(io, error.__cause__, path) from error.__cause__
        raise


async def load_derivation(io: EvalIO, store: VirtualStore, path: str) -> None:
    """Reads the derivation at `path`, and all that it needs, into `store`.

    Raises FileError if one is missing, ConversionError if one is not what its path says.
    """
    base = path.rpartition("/")[2]
    if not base.endswith(EXTENSION):
        problem = f"store path '{base}' is not a valid derivation path"
        raise FileError(f"error parsing derivation '{path}': error: {problem}", path)
    if not await io.path_exists(path):
        raise FileError(f"path '{path}' is not valid", path)
    await read_into(store, io, path)
