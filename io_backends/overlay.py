"""Overlay: one tree out of several that lie on top of each other."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple, TypeVar

from aionix.io import EvalIO, FileReader, FileType, OpenEntry, follow_links_async, is_missing
from io_backends.paths import is_in, join, parent
from io_backends.wrapper import (
    FILE_TYPE,
    IMPORT_PATH,
    IS_EXECUTABLE,
    READ,
    READ_DIR,
    READ_LINK,
    Question,
)

T = TypeVar("T")


class Overlay(EvalIO):
    """The files of all `layers`, of which the first is the uppermost.

        Overlay(Memory({"site.nix": "{ }"}), LocalDisk("/srv/configs"))

    Where several have a directory at a path, their entries are together in it; otherwise the uppermost
    wins, and what is no directory hides all below it. Nothing in an upper layer can take a
    name away. Links are followed in the whole, so the link of one layer may lead to a file of
    another, and a target that begins with `/` begins at the root of the whole.

    An environment variable, and where the store is, come from the first layer that knows.
    """

    def __init__(self, *layers: EvalIO) -> None:
        if not layers:
            raise TypeError("at least one layer is needed")
        self._layers: Sequence[EvalIO] = layers

    async def read(self, path: str) -> bytes:
        return await self._ask(READ, path, follow=True)

    async def file_type(self, path: str) -> FileType:
        return await self._ask(FILE_TYPE, path)

    async def read_link(self, path: str) -> str:
        return await self._ask(READ_LINK, path)

    async def is_executable(self, path: str) -> bool:
        return await self._ask(IS_EXECUTABLE, path)

    async def read_dir(self, path: str) -> dict[str, FileType]:
        found = await self._find(path, follow=True)
        entries: dict[str, FileType] = {}
        for layer in reversed(found.layers):
            entries |= await found.ask(READ_DIR, layer, path)
        return entries

    async def import_path(self, path: str) -> str | None:
        """A tree that is of one layer only is in that one's store, if it has one."""
        try:
            found = await self._find(path, follow=False)
        except FileNotFoundError:
            return None
        return await found.ask(IMPORT_PATH, found.layers[0], path) if len(found.layers) == 1 else None

    @asynccontextmanager
    async def open(self, path: str) -> AsyncIterator[FileReader]:
        found = await self._find(path, follow=True)
        async with found.layers[0].open(found.path) as file:
            yield file

    @asynccontextmanager
    async def open_range(self, path: str, start: int, size: int) -> AsyncIterator[FileReader]:
        found = await self._find(path, follow=True)
        async with found.layers[0].open_range(found.path, start, size) as file:
            yield file

    @asynccontextmanager
    async def open_entry(self, path: str, kind: FileType | None = None) -> AsyncIterator[OpenEntry]:
        found = await self._find(path, follow=False)
        async with found.layers[0].open_entry(found.path, kind) as entry:
            yield entry

    async def resolve(self, path: str) -> str:
        return await follow_links_async(path, _Walk(self, path).target)

    @property
    def read_ahead(self) -> bool:
        return any(layer.read_ahead for layer in self._layers)

    def get_env(self, name: str) -> str | None:
        values = (layer.get_env(name) for layer in self._layers)
        return next((value for value in values if value is not None), None)

    def store_dir(self) -> str | None:
        places = (layer.store_dir() for layer in self._layers)
        return next((place for place in places if place is not None), None)

    def _hides_all_below(self, layer: EvalIO, path: str) -> bool:
        """Is the directory `path` of `layer` not to be merged with those below?"""
        return False

    async def _ask(self, question: Question[T], path: str, *, follow: bool = False) -> T:
        found = await self._find(path, follow=follow)
        return await found.ask(question, found.layers[0], path)

    async def _find(self, path: str, *, follow: bool) -> _Found:
        """Raises FileNotFoundError if it is known already that there is nothing."""
        walk = _Walk(self, path)
        if follow or path == "/":
            place = await follow_links_async(path, walk.target)
        else:
            above = await follow_links_async(parent(path), walk.target)
            place = join(above, path.rpartition("/")[2])
            await walk.look(place)
        layers = walk.layers[place]
        if not layers:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return _Found(place, layers)


class _Found(NamedTuple):
    """A path free of links, and the layers that have something there: if several, directories."""

    path: str
    layers: Sequence[EvalIO]

    async def ask(self, question: Question[T], layer: EvalIO, asked: str) -> T:
        try:
            return await question.put(layer, self.path)
        except OSError as error:
            error.filename = asked
            raise


class _Walk:
    """Follows the links of `path`, and remembers which layers have what it passes."""

    def __init__(self, overlay: Overlay, path: str) -> None:
        self._overlay = overlay
        self._path = path
        self._plain: dict[EvalIO, bool] = {}
        layers = overlay._layers
        hiding = [index for index, layer in enumerate(layers) if overlay._hides_all_below(layer, "/")]
        self.layers: dict[str, Sequence[EvalIO]] = {"/": layers[: hiding[0] + 1] if hiding else layers}

    async def target(self, step: str) -> str | None:
        """Where `step` leads; its parents are free of links."""
        if await self.look(step) is not FileType.SYMLINK:
            return None
        return await READ_LINK.put(self.layers[step][0], step)

    async def look(self, step: str) -> FileType | None:
        """What the uppermost layer has there; None if that is nothing, or of the last layer and no link."""
        above = self.layers[parent(step)]
        found: list[EvalIO] = []
        self.layers[step] = found
        top = None
        for layer in above:
            if not found and layer is above[-1] and await self._is_plain(layer, step):
                found.append(layer)
                break
            kind = await _kind(layer, step)
            top = top or kind
            if kind is FileType.DIRECTORY or (kind is not None and not found):
                found.append(layer)
            if kind not in (None, FileType.DIRECTORY) or self._overlay._hides_all_below(layer, step):
                break
        return top

    async def _is_plain(self, layer: EvalIO, step: str) -> bool:
        """Is `step` on the way to the path, which has no links in `layer`?

        Where only one layer is left, one question for all the rest is enough.
        """
        if not is_in(self._path, step):
            return False
        if layer not in self._plain:
            try:
                self._plain[layer] = await layer.resolve(self._path) == self._path
            except OSError:  # which look fails, the walk will find out
                self._plain[layer] = False
        return self._plain[layer]


async def _kind(layer: EvalIO, path: str) -> FileType | None:
    try:
        return await FILE_TYPE.put(layer, path)
    except OSError as error:
        if not is_missing(error):
            error.filename = path
            raise
        return None
