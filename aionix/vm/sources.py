"""Files on their way into the store: what is copied of them, and under which path."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from aionix.errors import FileError, InvalidArgument
from aionix.io import EvalIO, FileType, is_missing
from aionix.store.aterm import parse
from aionix.store.derivation import EXTENSION, Derivation
from aionix.store.hashes import Hash, hash_bytes
from aionix.store.nar import Filter, nar_hash
from aionix.store.paths import base_name, fixed_output_path, split_path
from aionix.store.virtual import Source, VirtualStore
from aionix.vm.file_errors import Doing, resolved_file_error


@dataclass(slots=True)
class Copy:
    """What to copy: a file or tree, or what `keep` chooses of it, addressed by its NAR or, without
    `recursive`, by its contents; `expected` is the hash that it should have."""

    path: str
    name: str
    keep: Filter | None = None
    recursive: bool = True
    expected: Hash | None = None


async def copy_path(io: EvalIO, store: VirtualStore, path: str) -> str:
    """The store path of the file or tree at `path`, itself a link or not.

    Raises FileError, InvalidArgument.
    """
    if path.endswith(EXTENSION):
        raise InvalidArgument(f"file names are not allowed to end in '{EXTENSION}'")
    copied = await io.import_path(path)
    if copied is None:
        digest = await nar_hash(io, path)
        copied = fixed_output_path(base_name(path), "r:", "sha256", digest, store.directory)
    store.add_source(copied, Source(path))
    return copied


async def add_source(io: EvalIO, store: VirtualStore, copy: Copy) -> str:
    """The store path of what `copy` describes; links at its path are followed.

    Raises FileError, InvalidArgument, and what its filter raises.
    """
    try:
        origin = await io.resolve(copy.path)
    except OSError as error:
        raise await resolved_file_error(io, error, copy.path, Doing.STATUS) from error
    kept: set[str] = set()
    if copy.recursive:
        digest = await nar_hash(io, origin, _noting(copy.keep, origin, kept))
    else:
        digest = await _file_hash(io, origin)
    if copy.expected is not None and copy.expected.digest != digest:
        raise InvalidArgument(f"store path mismatch in (possibly filtered) path added from '{copy.path}'")
    method = "r:" if copy.recursive else ""
    path = fixed_output_path(copy.name, method, "sha256", digest, store.directory)
    store.add_source(path, Source(origin, frozenset(kept) if copy.keep is not None else None))
    return path


async def _file_hash(io: EvalIO, path: str) -> bytes:
    try:
        return hash_bytes("sha256", await io.read(path)).digest
    except OSError as error:
        raise await resolved_file_error(io, error, path) from error


def _noting(keep: Filter | None, origin: str, kept: set[str]) -> Filter | None:
    """The filter; what it lets through is noted in `kept`, relative to `origin`."""
    if keep is None:
        return None
    start = len(origin.rstrip("/")) + 1

    async def keep_and_note(path: str, kind: FileType) -> bool:
        if await keep(path, kind):
            kept.add(path[start:])
            return True
        return False

    return keep_and_note


async def load_derivation(io: EvalIO, store: VirtualStore, path: str) -> None:
    """Reads the derivation at `path`, and all that it needs, into `store`.

    Raises FileError if one is missing, or is not what its path says.
    """
    found: dict[str, Derivation] = {}
    pending = [path]
    while pending:
        each = pending.pop()
        if each not in found and each not in store.derivations:
            found[each] = await _read_derivation(io, each)
            pending += found[each].input_derivations
    try:
        inputs_first = [*TopologicalSorter({p: d.input_derivations for p, d in found.items()}).static_order()]
    except CycleError as error:
        raise FileError(f"the derivation '{path}' needs itself", path) from error
    for each in inputs_first:
        if each in found and store.add_derivation(found[each]) != each:
            raise FileError(f"'{each}' is not the derivation that its path says it is", each)


async def _read_derivation(io: EvalIO, path: str) -> Derivation:
    try:
        data = await io.read(path)
    except OSError as error:
        if is_missing(error):
            raise FileError(f"path '{path}' is not valid", path) from error
        raise await resolved_file_error(io, error, path) from error
    return parse(data, split_path(path)[1].removesuffix(EXTENSION))
