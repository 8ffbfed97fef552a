"""The `.drv` files of a store, written to a directory or to whatever can be written to."""

from __future__ import annotations

import os
from collections.abc import Iterable

from anyio.lowlevel import checkpoint

from aionix.errors import FileError
from aionix.io import WritableIO, reason
from aionix.store.aterm import unparse
from aionix.store.derivation import in_order
from aionix.store.virtual import VirtualStore, closure


async def write_to(
    store: VirtualStore, target: str | os.PathLike[str] | WritableIO, roots: Iterable[str] | None = None
) -> list[str]:
    """Writes the files of the derivations `roots` and of all they need; of every one, unless told.

    They are named as in a store: the last part of their store paths. `target` is a directory of this
    machine, which is made if need be, or the root of anything that can be written to. A file is there as a
    whole or not at all. Returns the store paths, in order. Raises FileError.
    """
    roots = list(store.derivations if roots is None else roots)
    for root in roots:
        store.known(root)
    wanted = closure(roots, store.references)
    paths = in_order(path for path in wanted if path in store.derivations)
    place, above = _place(target)
    try:
        await place.make_directory("/")
        for path in paths:
            await place.write_file(f"/{path.rpartition('/')[2]}", unparse(store.derivations[path]))
            await checkpoint()  # a target may have nothing to wait for
    except OSError as error:
        file = above + str(error.filename or "/")
        raise FileError(f"writing file '{file}': {reason(error)}", file) from error
    return paths


def _place(target: str | os.PathLike[str] | WritableIO) -> tuple[WritableIO, str]:
    """Where to write, and what the paths there begin with for people."""
    if not isinstance(target, (str, os.PathLike)):
        return target, ""
    from io_backends import WritableDisk

    return WritableDisk(target), os.fspath(target).rstrip("/")
