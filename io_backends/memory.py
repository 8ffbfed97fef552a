"""Memory: a tree of files that are Python values."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from aionix.io import EvalIO, FileType, follow_links


@dataclass(frozen=True, slots=True)
class Symlink:
    """A link to `target`, which is relative to the link's directory or starts with `/`."""

    target: str


@dataclass(frozen=True, slots=True)
class Executable:
    """A file with the execute bit."""

    content: str | bytes


Node: TypeAlias = "str | bytes | Executable | Symlink | Mapping[str, Node]"


class Memory(EvalIO):
    """The files of `tree`, whose root is `/`: text, bytes, `Executable`, `Symlink` or a nested dict.

        Memory({"a.nix": "1 + 1", "lib": {"default.nix": "{ }"}, "b.nix": Symlink("a.nix")})

    The tree is read in place: what its owner changes is seen by the next look. Text is stored
    as UTF-8. `env` has the variables that `getEnv` sees.
    """

    def __init__(self, tree: Mapping[str, Node], env: Mapping[str, str] | None = None) -> None:
        self._tree = tree
        self._env = env or {}

    async def read(self, path: str) -> bytes:
        node = self._follow(path)
        if isinstance(node, Mapping):
            _fail(errno.EISDIR, path)
        return _content(node)

    async def read_dir(self, path: str) -> dict[str, FileType]:
        node = self._follow(path)
        if not isinstance(node, Mapping):
            _fail(errno.ENOTDIR, path)
        return {name: _kind(entry) for name, entry in node.items()}

    async def file_type(self, path: str) -> FileType:
        return _kind(self._at(path))

    async def read_link(self, path: str) -> str:
        node = self._at(path)
        if not isinstance(node, Symlink):
            _fail(errno.EINVAL, path)
        return node.target

    async def is_executable(self, path: str) -> bool:
        return isinstance(self._at(path), Executable)

    async def resolve(self, path: str) -> str:
        return self._resolve(path)

    def get_env(self, name: str) -> str | None:
        return self._env.get(name)

    def _at(self, path: str) -> Node:
        """The node at `path` itself, its parents' links followed."""
        parent, _, name = path.rpartition("/")
        return self._find(self._resolve(parent).rstrip("/") + "/" + name)

    def _follow(self, path: str) -> Node:
        return self._find(self._resolve(path))

    def _resolve(self, path: str) -> str:
        return follow_links(path, self._target)

    def _target(self, path: str) -> str | None:
        try:
            node = self._find(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return node.target if isinstance(node, Symlink) else None

    def _find(self, path: str) -> Node:
        """The node at a path whose parents are free of links."""
        node: Node = self._tree
        for name in path.split("/"):
            if not name:
                continue
            if not isinstance(node, Mapping):
                _fail(errno.ENOTDIR, path)
            if name not in node:
                _fail(errno.ENOENT, path)
            node = node[name]
        return node


def _kind(node: Node) -> FileType:
    if isinstance(node, Mapping):
        return FileType.DIRECTORY
    return FileType.SYMLINK if isinstance(node, Symlink) else FileType.REGULAR


def _content(node: str | bytes | Executable | Symlink) -> bytes:
    if isinstance(node, Symlink):  # only if a link appeared while it was followed
        _fail(errno.ELOOP, node.target)
    content = node.content if isinstance(node, Executable) else node
    return content.encode("utf-8", "surrogateescape") if isinstance(content, str) else bytes(content)


def _fail(code: int, path: str) -> NoReturn:
    raise OSError(code, os.strerror(code), path)
