"""Plain: a server that has files and tells nothing else."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass

from io_backends.http.client import Client
from io_backends.http.nodes import Directory, File, Node, Tree
from io_backends.indexed import fail


@dataclass(frozen=True, slots=True)
class Plain:
    """Any server of files, without listings.

        Http("https://example.org/configs", Plain())

    A path is looked at by getting it, and what came is kept for who reads it next. 200 is a file. A directory
    is what the server redirects to the same URL with a `/` at its end, as nginx, Apache and Python's do. On
    404 it is asked once more, for the file `index` in there: if that is there, the path is a directory, too,
    which is what `import ./lib` needs of servers that know no directories (object stores, raw files);
    `index=None` saves that request. There are no links and no executables, and `read_dir` is ENOTSUP.
    """

    index: str | None = "default.nix"

    def tree(self, client: Client) -> Tree:
        return _PlainTree(client, self.index)


class _PlainTree:
    links = False

    def __init__(self, client: Client, index: str | None) -> None:
        self._client = client
        self._index = index

    async def find(self, path: str) -> Node:
        if path == "/":
            return _NoListing(path)
        url = self._client.url_of(path)
        seen = await self._client.look(url)
        if seen.is_file:
            return File(url, seen.size)
        if seen.is_directory or await self._has_index(path):
            return _NoListing(path)
        fail(errno.ENOENT, path)

    async def _has_index(self, path: str) -> bool:
        if self._index is None:
            return False
        return (await self._client.look(self._client.url_of(f"{path}/{self._index}"))).is_file


class _NoListing(Directory):
    def __init__(self, path: str) -> None:
        self._path = path

    async def entries(self) -> Mapping[str, Node]:
        problem = "a plain file server does not list directories (another layout may)"
        raise OSError(errno.ENOTSUP, problem, self._path)
