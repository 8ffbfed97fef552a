"""`import`: from a path to the thunk of its value, each file once.

The cache holds thunks, so single flight needs no lock: whoever forces a file's thunk first
reads, parses and evaluates it, everybody else waits for that thunk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from posixpath import dirname, join
from typing import NamedTuple

from aionix.errors import FileError
from aionix.io import EvalIO, FileType
from aionix.values.paths import clean
from aionix.values.thunk import Thunk, Value, failed, native
from aionix.vm.dependencies import Trail, affected, asking
from aionix.vm.run import use

#: As many links as C++ Nix follows from one name before it gives up.
MAX_LINKS = 1024

Scope = Mapping[str, Value]


class File(NamedTuple):
    """A file to be evaluated; what is looked at for that is noted in `trail`."""

    path: str
    scope: Scope | None
    trail: Trail


class Imported(NamedTuple):
    """A file's value, or what will be; and what it depends on."""

    thunk: Thunk
    trail: Trail


class Resolved(NamedTuple):
    """The file that a path means, and what was looked at to find out."""

    path: str
    trail: Trail


class Imports:
    """The import cache of an `Evaluation`. `load(file)` evaluates a file, in a fiber."""

    def __init__(self, load: Callable[[File], Value]) -> None:
        self._files: dict[str, Imported] = {}
        self._resolved: dict[str, Resolved] = {}
        self._changes = 0  # how often something was forgotten
        self._make = native(load)

    def known(self, path: str) -> Resolved | None:
        """What `path` has meant before; whoever goes by that depends on the trail."""
        found = self._resolved.get(path)
        file = None if found is None else self._files.get(found.path)
        return None if file is not None and _may_go_better(file.thunk) else found

    async def resolve(self, io: EvalIO, path: str) -> Resolved:
        """The file that `import path` reads, which whoever asks depends on. Raises OSError when there is
        nothing."""
        while True:
            trail, changes = Trail(), self._changes
            use(trail)
            with asking(trail):
                found = Resolved(await _resolve(io, path), trail)
            if self._changes == changes:
                self._resolved[path] = found
                return found

    def file(self, path: str, scope: Scope | None) -> Imported:
        """The file at `path`; one with a `scope` of its own is not shared."""
        if scope is not None:
            return self._new(path, scope)
        file = self._files.get(path)
        if file is None or _may_go_better(file.thunk):
            file = self._files[path] = self._new(path, None)
        return file

    def knows(self, path: str) -> bool:
        """Has the file at `path`, or the `default.nix` in it, been asked for?"""
        return path in self._files or join(path, "default.nix") in self._files

    def forget(self, paths: Iterable[str]) -> list[str]:
        """Drops the files that `paths` matter to; which they were."""
        paths = list(paths)
        self._changes += 1
        for path in _stale(self._resolved, paths):
            del self._resolved[path]
        gone = _stale(self._files, paths)
        for path in gone:
            del self._files[path]
        return gone

    def _new(self, path: str, scope: Scope | None) -> Imported:
        trail = Trail()
        return Imported(self._make(File(path, scope, trail)), trail)


def _may_go_better(thunk: Thunk) -> bool:
    # A file that could not be read is looked at again: it may be there by now.
    return thunk[0] is failed and isinstance(thunk[1], FileError)


def _stale(found: Mapping[str, Imported | Resolved], paths: Iterable[str]) -> list[str]:
    """Of what was `found`, that which `paths` matter to."""
    stale = affected([each.trail for each in found.values()], paths)
    return [path for path, each in found.items() if each.trail in stale]


async def _resolve(io: EvalIO, path: str) -> str:
    """The `default.nix` of a directory; links are followed by name, so that a linked file's own relative
    paths begin where it is."""
    for _ in range(MAX_LINKS):
        kind = await io.file_type(path)
        if kind is not FileType.SYMLINK:
            return join(path, "default.nix") if kind is FileType.DIRECTORY else path
        path = clean(join(dirname(path), await io.read_link(path)))
    raise FileError(f"too many symbolic links: '{path}'", path)
