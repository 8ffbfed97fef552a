"""What a layout finds on a server."""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from aionix.io import MAX_PATH
from io_backends.indexed import fail
from io_backends.once import Once
from io_backends.paths import checked_name

if TYPE_CHECKING:
    from io_backends.http.client import Client


@dataclass(frozen=True, slots=True)
class File:
    """A file whose content is at `url`. What the listing says of size and `digest` is checked, if it says so.

    `digest` is "sha256:" and 64 hexadecimal digits, or "git:" and the 40 of git's name for the blob. `accept`
    is the media type to ask for.
    """

    url: str
    size: int | None = None
    executable: bool = False
    digest: str | None = None
    accept: str = "*/*"


@dataclass(frozen=True, slots=True)
class Link:
    """A symlink to `target`: as written, or a file that has it."""

    target: str | File


class Directory(ABC):
    """A directory."""

    @abstractmethod
    async def entries(self) -> Mapping[str, Node]:
        """What is in it, by name. OSError if that cannot be known."""


Node: TypeAlias = "File | Link | Directory"


class Tree(Protocol):
    """The files of a server. `links`: there may be symlinks."""

    @property
    def links(self) -> bool: ...

    async def find(self, path: str) -> Node:
        """What is at a path whose parents are free of links. FileNotFoundError, NotADirectoryError, or
        another OSError if it cannot be known."""


class Layout(Protocol):
    """How a server's URLs and listings make up a tree; without state, as it may serve several backends.

        class Index:                                        # a text with a path in each line
            def tree(self, client):
                async def load():
                    listing = await client.document(client.url_of("/index.txt"))
                    paths = listing.body.decode().split()
                    return grown([(path, File(client.url_of("/" + path))) for path in paths], 1000).names
                return Walk(Unlisted(load, client.max_age), links=False)
    """

    def tree(self, client: Client) -> Tree:
        """The tree that `client` reaches; it is looked at when it is asked something."""


class Listed(Directory):
    """A directory whose entries are known."""

    __slots__ = ("names",)

    def __init__(self) -> None:
        self.names: dict[str, Node] = {}

    async def entries(self) -> Mapping[str, Node]:
        return self.names


class Unlisted(Directory):
    """A directory that is listed, once or once every `max_age` seconds, when it is asked for its entries."""

    def __init__(self, load: Callable[[], Awaitable[Mapping[str, Node]]], max_age: float | None) -> None:
        self._entries = Once[Mapping[str, Node]](lambda _: load(), max_age)

    async def entries(self) -> Mapping[str, Node]:
        return await self._entries.get()


class Walk:
    """The tree below a directory that can be listed."""

    def __init__(self, root: Directory, *, links: bool) -> None:
        self._root = root
        self.links = links

    async def find(self, path: str) -> Node:
        node: Node = self._root
        for name in path.split("/"):
            if not name:
                continue
            if not isinstance(node, Directory):
                fail(errno.ENOTDIR, path)
            entries = await node.entries()
            if name not in entries:
                fail(errno.ENOENT, path)
            node = entries[name]
        return node


def grown(items: Iterable[tuple[str, Node]], limit: int) -> Listed:
    """The tree of a flat listing: paths, with `/` between names, and what is there.

    A directory need not be listed itself. Raises ValueError for what no tree can have, and for more than
    `limit` entries.
    """
    growing = _Growing(limit)
    for path, node in items:
        growing.add(path, node)
    return growing.root


class _Growing:
    def __init__(self, limit: int) -> None:
        self.root = Listed()
        self._limit = limit
        self._count = 0

    def add(self, path: str, node: Node) -> None:
        *above, name = path_parts(path)
        directory = self.root
        for part in above:
            directory = self._below(directory, part, path)
        if isinstance(node, Listed):
            self._below(directory, name, path)
        elif self._entry(directory, name, node) is not node:
            raise ValueError(f"{path[:99]!r} is there twice")

    def _below(self, directory: Listed, name: str, path: str) -> Listed:
        found = directory.names.get(name) or self._entry(directory, name, Listed())
        if not isinstance(found, Listed):
            raise ValueError(f"{path[:99]!r} is in something that is no directory")
        return found

    def _entry(self, directory: Listed, name: str, node: Node) -> Node:
        """What is there under `name`: `node`, unless there is something already."""
        self._count += 1
        if self._count > self._limit:
            raise ValueError(f"more than {self._limit} entries")
        return directory.names.setdefault(name, node)


def path_parts(path: str) -> list[str]:
    """The names in a listed path. ValueError if one is none."""
    if len(path) > MAX_PATH:
        raise ValueError(f"the path {path[:99]!r}... is too long")
    return [checked_name(part) for part in path.split("/")]
