"""A store read back from `.drv` files: those of a real store, or a directory they were written to."""

from __future__ import annotations

from graphlib import TopologicalSorter

import anyio.to_thread
from anyio.lowlevel import checkpoint

from aionix.errors import ConversionError, FileError
from aionix.io import EvalIO, reason
from aionix.store.aterm import parse
from aionix.store.derivation import EXTENSION, Derivation
from aionix.store.paths import DIGEST_LENGTH, base_problem
from aionix.store.virtual import VirtualStore

#: Bytes of one `.drv` file; the largest of nixpkgs have some 500,000.
MAX_FILE_SIZE = 64 << 20
#: Parsing more bytes than these would make the event loop wait for over ten milliseconds.
LARGE = 1 << 16
#: Derivations that one may need; a NixOS system needs some 10,000.
MAX_DERIVATIONS = 200_000


async def read_into(store: VirtualStore, io: EvalIO, file: str) -> str:
    """Adds the derivation in a `.drv` file and all it needs to `store`; returns its store path.

    The files of what it needs are beside it, and are what their store paths say; its own may have
    any name that ends in `.drv`. Raises FileError, ConversionError, InvalidArgument.
    """
    directory = file.rpartition("/")[0]
    _, root = await read_alone(store, io, file)
    needed: dict[str, Derivation] = {}
    pending = list(root.input_derivations)
    while pending:
        each = pending.pop()
        if each in needed or each in store.derivations:
            continue
        if len(needed) == MAX_DERIVATIONS:
            raise ConversionError(f"derivation '{root.name}' needs more than {MAX_DERIVATIONS} others")
        needed[each] = await _needed(store, io, directory, each)
        pending += needed[each].input_derivations
        await checkpoint()  # files in memory do not wait for anything
    for derivation in _inputs_first(needed):
        store.add_derivation(derivation)
    return store.add_derivation(root)


async def _needed(store: VirtualStore, io: EvalIO, directory: str, path: str) -> Derivation:
    base = path.rpartition("/")[2]
    if base_problem(base) is not None or path != f"{store.directory}/{base}":
        raise ConversionError(f"input '{path}' of a derivation is not in the store '{store.directory}'")
    return (await read_alone(store, io, f"{directory}/{base}"))[1]


def _inputs_first(derivations: dict[str, Derivation]) -> list[Derivation]:
    inputs = {
        path: [used for used in derivation.input_derivations if used in derivations]
        for path, derivation in derivations.items()
    }
    # There is an order: no file can contain its own hash.
    return [derivations[path] for path in TopologicalSorter(inputs).static_order()]


async def read_alone(store: VirtualStore, io: EvalIO, file: str) -> tuple[str, Derivation]:
    """The derivation in a `.drv` file and its store path; `store` stays as it is.

    Raises FileError, and ConversionError if the file is not what its name says.
    """
    base = file.rpartition("/")[2]
    if not base.endswith(EXTENSION):
        raise ConversionError(f"'{file}' holds no derivation: its name does not end in '{EXTENSION}'")
    in_store = base_problem(base) is None
    name = (base[DIGEST_LENGTH + 1 :] if in_store else base).removesuffix(EXTENSION)
    derivation = await _parsed(await _read(io, file), name)
    path = store.path_of(derivation)
    if in_store and path != f"{store.directory}/{base}":
        raise ConversionError(f"'{file}' has the content of '{path}'")
    return path, derivation


async def _parsed(data: bytes, name: str) -> Derivation:
    if len(data) < LARGE:
        return parse(data, name)
    return await anyio.to_thread.run_sync(parse, data, name)


async def _read(io: EvalIO, file: str) -> bytes:
    pieces: list[bytes] = []
    size = 0
    try:
        async with io.open(file) as reader:
            while piece := await reader.read(1 << 20):
                pieces.append(piece)
                size += len(piece)
                if size > MAX_FILE_SIZE:
                    raise ConversionError(f"'{file}' is too large to be a derivation")
    except OSError as error:
        raise FileError(f"opening file '{file}': {reason(error)}", file) from None
    return b"".join(pieces)
