"""EvalIO: the one door between an evaluation and the outside world."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum


class FileType(Enum):
    """What `builtins.readDir` says of an entry; links are not followed."""

    REGULAR = "regular"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    UNKNOWN = "unknown"


class EvalIO(ABC):
    """A tree of files, and an environment, that Nix code may look at.

    Paths are absolute, clean, `/`-separated text (surrogateescape for bytes that are not
    UTF-8). Failures are `OSError`s with the errno that POSIX would give; the evaluator words
    them. Every method is awaited on the event loop and must not block it.
    """

    @abstractmethod
    async def path_exists(self, path: str) -> bool:
        """Is there something at `path`, links followed? (`pathExists`, `<x>`)"""

    @abstractmethod
    async def read(self, path: str) -> bytes:
        """All bytes of the file, links followed. (`readFile`, `import`, `hashFile`)"""

    @abstractmethod
    async def file_type(self, path: str) -> FileType:
        """What `path` itself is: its parents' links are followed, its own is not."""

    @abstractmethod
    async def read_dir(self, path: str) -> dict[str, FileType]:
        """Names and kinds of the entries of a directory, links to it followed."""

    @abstractmethod
    async def read_link(self, path: str) -> str:
        """The target of a symlink, as written. (copying to the store)"""

    @abstractmethod
    async def is_executable(self, path: str) -> bool:
        """Does a regular file have the owner's execute bit? (copying to the store)"""

    async def import_path(self, path: str) -> str | None:
        """The store path of `path`, if this backend keeps a store; else None: it is computed."""
        return None

    def get_env(self, name: str) -> str | None:
        """An environment variable. (`getEnv`, `~/`, NIX_PATH)"""
        return None

    def store_dir(self) -> str | None:
        """Where the store is; None for the usual `/nix/store`."""
        return None
