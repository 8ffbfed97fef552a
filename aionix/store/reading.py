"""A store read back from `.drv` files: those of a real store, or a directory they were written to."""

from __future__ import annotations

from anyio.lowlevel import checkpoint

from aionix.errors import ConversionError, FileError
from aionix.io import EvalIO, reason
from aionix.store.aterm import parse
from aionix.store.derivation import EXTENSION, Derivation
from aionix.store.graph import Edge, Graph
from aionix.store.paths import DIGEST_LENGTH, base_problem
from aionix.store.virtual import VirtualStore

#: Bytes of one `.drv` file; the largest of nixpkgs have some 500,000.
MAX_FILE_SIZE = 64 << 20
#: Derivations that one may need; a NixOS system needs some 10,000.
MAX_DERIVATIONS = 200_000


async def read_derivations(io: EvalIO, file: str) -> tuple[VirtualStore, str]:
    """The derivation in a `.drv` file with all it needs, in a store of their own; and its store path.

    The files of what it needs are beside it, and are what their store paths say; its own may have
    any name that ends in `.drv`. Raises FileError, ConversionError, InvalidArgument.
    """
    store = VirtualStore(io.store_dir() or "/nix/store")
    directory, _, base = file.rpartition("/")
    root = await read_derivation(io, file)
    needed = await _needed(io, directory, root)
    edges = [Edge(path, used) for path, each in needed.items() for used in each.input_derivations]
    ordered = Graph(needed, needed, edges).order()
    if len(ordered) < len(needed):  # no file can contain its own hash
        raise ConversionError(f"derivations that '{file}' needs need each other")
    for path in ordered:
        _add(store, needed[path], path)
    return store, _add(store, root, f"{store.directory}/{base}" if base_problem(base) is None else None)


def _add(store: VirtualStore, derivation: Derivation, expected: str | None) -> str:
    path = store.add_derivation(derivation)
    if expected not in (None, path):
        raise ConversionError(f"the file of '{expected}' has the content of '{path}'")
    return path


async def _needed(io: EvalIO, directory: str, root: Derivation) -> dict[str, Derivation]:
    """The derivations that `root` needs, by store path."""
    needed: dict[str, Derivation] = {}
    pending = list(root.input_derivations)
    while pending:
        path = pending.pop()
        if path in needed:
            continue
        if len(needed) == MAX_DERIVATIONS:
            raise ConversionError(f"derivation '{root.name}' needs more than {MAX_DERIVATIONS} others")
        base = path.rpartition("/")[2]
        if base_problem(base) is not None:
            raise ConversionError(f"input '{path}' of a derivation is not a store path")
        needed[path] = await read_derivation(io, f"{directory}/{base}")
        pending += needed[path].input_derivations
        await checkpoint()  # files in memory do not wait for anything
    return needed


async def read_derivation(io: EvalIO, file: str) -> Derivation:
    """The derivation in a `.drv` file alone. Raises FileError, ConversionError."""
    base = file.rpartition("/")[2]
    if not base.endswith(EXTENSION):
        raise ConversionError(f"'{file}' holds no derivation: its name does not end in '{EXTENSION}'")
    name = base[DIGEST_LENGTH + 1 :] if base_problem(base) is None else base
    return parse(await _read(io, file), name.removesuffix(EXTENSION))


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
