"""`import`: from a path to the thunk of its value, each file once.

The cache holds thunks, so single flight needs no lock: whoever forces a file's thunk first
reads, parses and evaluates it, everybody else waits for that thunk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from posixpath import dirname, join

from aionix.errors import FileError
from aionix.io import EvalIO, FileType
from aionix.values.paths import clean
from aionix.values.thunk import Thunk, Value, failed, native

#: As many links as C++ Nix follows from one name before it gives up.
MAX_LINKS = 1024

Scope = Mapping[str, Value]
Loader = Callable[[str, Scope | None], Value]


class Imports:
    """The import cache of an `Evaluation`. `load(path, scope)` evaluates a file, in a fiber."""

    def __init__(self, load: Loader) -> None:
        self._files: dict[str, Thunk] = {}
        self._make = native(_unpacking(load))

    def thunk(self, path: str, scope: Scope | None) -> Thunk:
        """The thunk for the file at `path`; one with a `scope` of its own is not shared."""
        if scope is not None:
            return self._make((path, scope))
        thunk = self._files.get(path)
        if thunk is None or _may_go_better(thunk):
            thunk = self._files[path] = self._make((path, None))
        return thunk


def _may_go_better(thunk: Thunk) -> bool:
    # A file that could not be read is looked at again: it may be there by now.
    return thunk[0] is failed and isinstance(thunk[1], FileError)


async def resolve(io: EvalIO, path: str) -> str:
    """The file that `import path` reads: links followed, `default.nix` of a directory.

    Links are followed by name, so that a linked file's own relative paths begin where it is.
    Raises OSError when there is nothing.
    """
    for _ in range(MAX_LINKS):
        kind = await io.file_type(path)
        if kind is not FileType.SYMLINK:
            return join(path, "default.nix") if kind is FileType.DIRECTORY else path
        path = clean(join(dirname(path), await io.read_link(path)))
    raise FileError(f"too many symbolic links: '{path}'", path)


def _unpacking(load: Loader) -> Callable[[tuple[str, Scope | None]], Value]:
    return lambda file: load(file[0], file[1])
