"""The `.drv` files of a store, written to a directory or to whatever can write."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

from anyio import to_thread
from anyio.lowlevel import checkpoint

from aionix.errors import FileError
from aionix.io import reason
from aionix.store.aterm import unparse
from aionix.store.derivation import in_order
from aionix.store.virtual import VirtualStore, closure


class Writable(Protocol):
    """A place for files: a bucket, an archive, a dict."""

    async def write(self, path: str, data: bytes) -> None:
        """Keeps `data` under the relative `path`."""


class Directory:
    """A directory of this machine, made when something is written to it.

    A file is there as a whole or not at all, also after a crash or a cancellation.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)

    async def write(self, path: str, data: bytes) -> None:
        """Raises FileError."""
        await to_thread.run_sync(self._write, path, data)

    def _write(self, path: str, data: bytes) -> None:
        target = os.path.join(self._path, path)
        unfinished = f"{target}.{os.urandom(4).hex()}.tmp"
        try:
            os.makedirs(self._path, exist_ok=True)
            try:
                with open(unfinished, "xb") as file:
                    file.write(data)
                os.replace(unfinished, target)
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(unfinished)
        except OSError as error:
            raise FileError(f"writing file '{target}': {reason(error)}", target) from None


async def write_to(
    store: VirtualStore, target: str | os.PathLike[str] | Writable, roots: Iterable[str] | None = None
) -> list[str]:
    """Writes the files of the derivations `roots` and of all they need; of every one, unless told.

    They are named as in a store: the last part of their store paths. `target` is a directory, or
    anything that can write. Returns the store paths, in order. Raises FileError.
    """
    place = Directory(target) if isinstance(target, (str, os.PathLike)) else target
    roots = list(store.derivations if roots is None else roots)
    for root in roots:
        store.known(root)
    wanted = closure(roots, store.references)
    paths = in_order(path for path in wanted if path in store.derivations)
    for path in paths:
        await place.write(path.rpartition("/")[2], unparse(store.derivations[path]))
        await checkpoint()  # a target in memory does not wait for anything
    return paths
