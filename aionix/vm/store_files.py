"""The backend's files, and above them those that the evaluation itself put into its store.

`import (builtins.toFile ...)`, `readFile drv.drvPath` and `"${./src}/x.nix"` work so without a store. What
a build or a download would have to make first is looked for in the backend, and refused if it
is not there.
"""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from posixpath import dirname
from typing import NamedTuple, NoReturn, TypeVar

from aionix.errors import NotAvailable
from aionix.io import EvalIO, FileReader, FileType, OpenEntry, is_missing
from aionix.store.virtual import Source, VirtualStore

T = TypeVar("T")

#: Where `<nix/...>` is: files that Nix brings along.
INTERNAL = "/__corepkgs__"


class _InMemory(NamedTuple):
    """A file that is no file of the backend."""

    content: bytes


class _InBackend(NamedTuple):
    """A path of the backend, and, in a filtered source, what is kept of it."""

    path: str
    relative: str = ""
    source: Source | None = None


class StoreFiles(EvalIO):
    """`io`, with the contents of `store`, and `internal` files by name, on top."""

    def __init__(self, io: EvalIO, store: VirtualStore, internal: Mapping[str, bytes]) -> None:
        self._io = io
        self._store = store
        self._internal = internal
        self._prefix = store.directory + "/"

    async def read(self, path: str) -> bytes:
        if not self._is_ours(path):
            return await self._io.read(path)
        place = await self._followed(path)
        if isinstance(place, _InMemory):
            return place.content
        return await self._asked(path, self._io.read(place.path))

    async def read_dir(self, path: str) -> dict[str, FileType]:
        if not self._is_ours(path):
            return await self._io.read_dir(path)
        place = await self._followed(path)
        if isinstance(place, _InMemory):
            _fail(errno.ENOTDIR, path)
        entries = await self._asked(path, self._io.read_dir(place.path))
        if place.source is None or place.source.kept is None:
            return entries
        prefix = f"{place.relative}/" if place.relative else ""
        return {name: kind for name, kind in entries.items() if prefix + name in place.source.kept}

    async def file_type(self, path: str) -> FileType:
        if not self._is_ours(path):
            return await self._io.file_type(path)
        return await self._kind(await self._with_parents(path))

    async def read_link(self, path: str) -> str:
        if not self._is_ours(path):
            return await self._io.read_link(path)
        place = self._place(await self._with_parents(path))
        if isinstance(place, _InMemory):
            _fail(errno.EINVAL, path)
        return await self._io.read_link(place.path)

    async def is_executable(self, path: str) -> bool:
        if not self._is_ours(path):
            return await self._io.is_executable(path)
        place = await self._followed(path)
        return isinstance(place, _InBackend) and await self._io.is_executable(place.path)

    def open(self, path: str) -> AbstractAsyncContextManager[FileReader]:
        return self._opened(path) if self._is_ours(path) else self._io.open(path)

    @asynccontextmanager
    async def _opened(self, path: str) -> AsyncIterator[FileReader]:
        place = await self._followed(path)
        opened = super().open(path) if isinstance(place, _InMemory) else self._io.open(place.path)
        async with opened as reader:
            yield reader

    def open_entry(
        self, path: str, kind: FileType | None = None
    ) -> AbstractAsyncContextManager[OpenEntry]:
        return self._opened_entry(path, kind) if self._is_ours(path) else self._io.open_entry(path, kind)

    @asynccontextmanager
    async def _opened_entry(self, path: str, kind: FileType | None) -> AsyncIterator[OpenEntry]:
        place = self._place(await self._with_parents(path))
        if isinstance(place, _InMemory):
            opened = super().open_entry(path)
        else:
            opened = self._io.open_entry(place.path, kind)
        async with opened as entry:
            yield entry

    async def resolve(self, path: str) -> str:
        if path.startswith(INTERNAL):  # no links there
            return path
        if self._is_ours(path):
            return await super().resolve(path)
        return await self._io.resolve(path)

    async def path_exists(self, path: str) -> bool:
        if self._is_ours(path):
            return await super().path_exists(path)
        return await self._io.path_exists(path)

    async def import_path(self, path: str) -> str | None:
        return None if self._is_ours(path) else await self._io.import_path(path)

    def get_env(self, name: str) -> str | None:
        return self._io.get_env(name)

    def store_dir(self) -> str | None:
        return self._store.directory

    def _is_ours(self, path: str) -> bool:
        return path.startswith(self._prefix) or path.startswith(INTERNAL)

    async def _followed(self, path: str) -> _InMemory | _InBackend:
        return self._place(await self.resolve(path))

    async def _with_parents(self, path: str) -> str:
        above = dirname(path)
        return (await self.resolve(above)).rstrip("/") + path[len(above.rstrip("/")) :]

    def _place(self, path: str) -> _InMemory | _InBackend:
        """What stands at a path without links. Raises OSError if we know that nothing does."""
        if path.startswith(INTERNAL + "/") and path[len(INTERNAL) + 1 :] in self._internal:
            return _InMemory(self._internal[path[len(INTERNAL) + 1 :]])
        if path.startswith(INTERNAL):
            _fail(errno.ENOENT, path)
        if not path.startswith(self._prefix):
            return _InBackend(path)
        base, _, relative = path[len(self._prefix) :].partition("/")
        owner = self._prefix + base
        source = self._store.sources.get(owner)
        if source is not None:
            if relative and source.kept is not None and relative not in source.kept:
                _fail(errno.ENOENT, path)
            return self._original(source, relative)
        content = self._store.content(owner)
        if content is None:
            return _InBackend(path)
        if relative:
            _fail(errno.ENOTDIR, path)
        return _InMemory(content)

    def _original(self, source: Source, relative: str) -> _InMemory | _InBackend:
        content = self._store.content(source.origin)
        if content is None:
            place = f"{source.origin}/{relative}" if relative else source.origin
            return _InBackend(place, relative, source)
        if relative:
            _fail(errno.ENOTDIR, f"{source.origin}/{relative}")
        return _InMemory(content)

    async def _kind(self, path: str) -> FileType:
        place = self._place(path)
        if isinstance(place, _InMemory):
            return FileType.REGULAR
        return await self._asked(path, self._io.file_type(place.path))

    async def _link_target(self, path: str) -> str | None:
        # The walk asks about paths whose parents are free of links already.
        try:
            place = self._place(path)
            if isinstance(place, _InMemory) or await self._kind(path) is not FileType.SYMLINK:
                return None
            return await self._io.read_link(place.path)
        except OSError as error:
            if not is_missing(error):
                error.filename = path
                raise
            return None

    async def _asked(self, path: str, answer: Awaitable[T]) -> T:
        """The backend's answer; if it has nothing, and that would have to be made, says so."""
        try:
            return await answer
        except OSError as error:
            if is_missing(error):
                self._refuse_to_make(path)
            raise

    def _refuse_to_make(self, path: str) -> None:
        base = path[len(self._prefix) :].partition("/")[0]
        owner = self._prefix + base
        maker = self._store.maker(owner)
        if maker is not None:
            raise NotAvailable(
                f"cannot build '{maker}' during evaluation: this evaluator does not build",
                hint=f"'{owner}' is read while the expression is evaluated (import from derivation); "
                "it would have to be in the files that the evaluation is given",
            )
        if owner in self._store.fetched:
            raise NotAvailable(
                f"cannot fetch '{self._store.fetched[owner]}': no fetcher is configured",
                hint=f"the contents of '{owner}' are read while the expression is evaluated",
            )


def _fail(code: int, path: str) -> NoReturn:
    raise OSError(code, os.strerror(code), path)
