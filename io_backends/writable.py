"""Backends that can be written to: `aionix.io.WritableIO`, in memory and on disk."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import NoReturn

import anyio.lowlevel

from io_backends.local import LocalDisk
from io_backends.memory import Executable, Memory, Node, Symlink
from io_backends.paths import parent, with_parents


class WritableMemory(Memory):
    """A tree in memory, at first empty, that is read and written.

        memory = WritableMemory()
        await memory.make_directory("/drvs")
        await memory.write_file("/drvs/x.drv", data)
        memory.tree  # {"drvs": {"x.drv": b"..."}}
    """

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        self.tree: dict[str, Node] = {}
        super().__init__(self.tree, env)

    async def write_file(self, path: str, data: bytes, *, executable: bool = False) -> None:
        await anyio.lowlevel.checkpoint()
        self._put(path, Executable(data) if executable else data)

    async def symlink(self, path: str, target: str) -> None:
        await anyio.lowlevel.checkpoint()
        self._put(path, Symlink(target))

    async def make_directory(self, path: str) -> None:
        await anyio.lowlevel.checkpoint()
        for step in reversed(with_parents(path)):
            try:
                self._at(step)
            except FileNotFoundError:
                self._put(step, {})
        if not isinstance(self._follow(path), Mapping):
            _fail(errno.ENOTDIR, path)

    def _put(self, path: str, node: Node) -> None:
        directory = self._follow(parent(path))
        name = path.rpartition("/")[2]
        if not isinstance(directory, dict):
            _fail(errno.ENOTDIR, path)
        if not name or isinstance(directory.get(name), Mapping):
            _fail(errno.EISDIR, path)
        directory[name] = node


class WritableDisk(LocalDisk):
    """The directory `root` of this machine, which is read as by `LocalDisk(root)`, and written.

        disk = WritableDisk("/srv/drvs")
        await disk.make_directory("/")
        await disk.write_file("/x.drv", data)

    As for reading, no link and no `..` leads out of `root`; a link in the place of a file is replaced,
    not followed. `make_directory` makes `root`, too.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        super().__init__(root)
        self._directory = self._root or b"/"

    async def write_file(self, path: str, data: bytes, *, executable: bool = False) -> None:
        await self._run(partial(self._write, path, data, 0o777 if executable else 0o666))

    async def symlink(self, path: str, target: str) -> None:
        await self._run(partial(self._link, path, target))

    async def make_directory(self, path: str) -> None:
        await self._run(partial(self._make_directory, path))

    # What follows blocks, and runs on worker threads.

    def _write(self, path: str, data: bytes, mode: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

        def make(name: bytes, directory: int) -> None:
            with open(os.open(name, flags, mode, dir_fd=directory), "wb") as file:
                file.write(data)

        self._appear(path, make)

    def _link(self, path: str, target: str) -> None:
        to = target.encode("utf-8", "surrogateescape")
        self._appear(path, lambda name, directory: os.symlink(to, name, dir_fd=directory))

    def _appear(self, path: str, make: Callable[[bytes, int], None]) -> None:
        """Puts at `path` what `make` makes under another name."""
        with self._entry_at(path) as (name, directory):
            unfinished = f".{secrets.token_hex(8)}.tmp".encode()
            try:
                make(unfinished, directory)
                os.replace(unfinished, name, src_dir_fd=directory, dst_dir_fd=directory)
            except BaseException:
                with suppress(OSError):
                    os.unlink(unfinished, dir_fd=directory)
                raise

    def _make_directory(self, path: str) -> None:
        os.makedirs(self._directory, exist_ok=True)
        for step in reversed(with_parents(path)[:-1]):
            with suppress(FileExistsError), self._entry_at(step) as (name, directory):
                os.mkdir(name, dir_fd=directory)
        with self._place(path, follow=True) as place:
            if not stat.S_ISDIR(place.stat(follow=True).st_mode):
                _fail(errno.ENOTDIR, path)

    @contextmanager
    def _entry_at(self, path: str) -> Iterator[tuple[bytes, int]]:
        """The last name of `path`, and its directory, open."""
        with self._place(path, follow=False) as place:
            if path == "/" or place.directory is None:
                _fail(errno.EISDIR, path)
            yield place.name, place.directory


def _fail(code: int, path: str) -> NoReturn:
    raise OSError(code, os.strerror(code), path)
