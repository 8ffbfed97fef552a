"""What a binary cache has of one store path: narinfo, listing and NAR, believed only as far as they agree.

As `io_backends.nar`, this knows the formats of `aionix.store`. (Nix manual, "HTTP Binary Cache Store")
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TypeVar

from aionix.errors import ConversionError
from aionix.io import MAX_PATH, EvalIO, FileReader, Section, errno_of, is_missing, reason
from aionix.store import narinfo
from aionix.store.hashes import Hash, new_hasher
from aionix.store.narinfo import NarInfo, parse_narinfo
from aionix.store.paths import source_path, split_path
from io_backends.compression import compression_of, inflated
from io_backends.indexed import File, Node
from io_backends.nar import nar_tree
from io_backends.nar_listing import listed_tree
from io_backends.once import Once
from io_backends.signatures import PublicKeys
from io_backends.stored import Spool, blamed, fetch, in_thread, inflate, open_part, too_large

T = TypeVar("T")

_MAX_LISTING_SIZE = 1 << 26
# As a narinfo names them.
_COMPRESSIONS = ("none", "gzip", "bzip2", "xz", "zstd")
# What stands in a NAR before contents and their size.
_CONTENTS = (8).to_bytes(8, "little") + b"contents"
_PIECE = 1 << 20


class Unreachable(OSError):
    """The cache did not answer. That may change; what it answered does not."""


class CacheFiles:
    """The files of a cache, in the `directory` of a backend. Raises Unreachable."""

    def __init__(self, io: EvalIO, directory: str) -> None:
        self._io = io
        self._directory = directory

    async def read(self, name: str, limit: int) -> bytes | None:
        """All of a small file, inflated if it is compressed; None if it is not there."""
        try:
            async with self._io.open(self._at(name)) as file:
                data = await _read(file, limit + 1)
        except OSError as error:
            if is_missing(error):
                return None
            raise Unreachable(*_told(error, name)) from error
        return await in_thread(partial(_inflated, data, limit))

    async def fetch(self, name: str, limit: int) -> Spool:
        try:
            return await fetch(self._io, self._at(name), limit)
        except OSError as error:
            raise Unreachable(*_told(error, name)) from error

    @asynccontextmanager
    async def open_part(self, name: str, start: int, size: int, path: str) -> AsyncIterator[FileReader]:
        """A part of a file, on behalf of `path`."""
        async with AsyncExitStack() as stack:
            opened = self._io.open_range(self._at(name), start, size)
            try:
                file = await stack.enter_async_context(opened)
            except OSError as error:
                raise OSError(*_told(error, name), path) from error
            yield _Part(file, name, path)

    def _at(self, name: str) -> str:
        return f"{self._directory}/{name}"


class _Part:
    """A FileReader of a file of the cache, on behalf of `path`."""

    def __init__(self, file: FileReader, name: str, path: str) -> None:
        self._file = file
        self._name = name
        self._path = path

    @property
    def size(self) -> int:
        return self._file.size

    async def read(self, count: int) -> bytes:
        try:
            return await self._file.read(count)
        except OSError as error:
            raise OSError(*_told(error, self._name), self._path) from error


async def _read(file: FileReader, count: int) -> bytes:
    """The next `count` bytes, or all that are left."""
    pieces = []
    while count and (piece := await file.read(min(count, _PIECE))):
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def _told(error: OSError, name: str) -> tuple[int, str]:
    """The errno and the words for a file of the cache that could not be read."""
    # The store path is not missing because a part of it is.
    code = errno.EIO if is_missing(error) else errno_of(error) or errno.EIO
    return code, f"{reason(error)} (the binary cache's '{name}')"


def _inflated(data: bytes, limit: int) -> bytes:
    compression = compression_of(data)
    if compression is not None:
        whole = bytearray()
        with blamed(None):
            for piece in inflated(BytesIO(data), compression):
                whole += piece
                if len(whole) > limit:
                    break
        data = bytes(whole)
    if len(data) > limit:
        raise too_large(limit)
    return data


@dataclass(frozen=True, slots=True)
class Trust:
    """What a cache may say. Without `keys` it need not sign."""

    keys: PublicKeys | None
    use_listings: bool
    store_dir: str
    max_nar_size: int
    max_entries: int

    def check(self, info: NarInfo, base: str) -> None:
        """Raises OSError unless `info` may be of the store path called `base`."""
        if info.path != f"{self.store_dir}/{base}":
            if split_path(info.path)[0] == base.partition("-")[0]:
                raise FileNotFoundError(errno.ENOENT, f"its name in the binary cache is '{info.path}'")
            raise _lie(f"its narinfo is that of '{info.path}'")
        if info.nar_hash.algorithm != "sha256":
            raise _lie("its NAR's hash is no SHA-256")
        if info.compression not in _COMPRESSIONS:
            raise OSError(errno.ENOTSUP, f"a NAR in a compression that is not known: {info.compression}")
        if max(info.nar_size, info.file_size) > self.max_nar_size:
            raise too_large(self.max_nar_size)
        _check_url(info.url)
        if not (self.keys is None or self._is_made_from_hash(info) or self._is_signed(info)):
            raise PermissionError(errno.EACCES, "the binary cache has no signature by a trusted key")

    def _is_signed(self, info: NarInfo) -> bool:
        return self.keys is not None and self.keys.have_signed(info.fingerprint(), info.signatures)

    def _is_made_from_hash(self, info: NarInfo) -> bool:
        """Then the store path itself vouches for the NAR, as no other could have it."""
        name = split_path(info.path)[1]
        references = [f"{self.store_dir}/{base}" for base in info.references]
        return info.path == source_path(name, info.nar_hash.digest, self.store_dir, references)


def _check_url(url: str) -> None:
    if len(url) > MAX_PATH or "\0" in url or not {"", ".", ".."}.isdisjoint(url.split("/")):
        raise _lie(f"its NAR is outside of the binary cache: {url[:200]}")


def _lie(problem: str) -> OSError:
    return OSError(errno.EINVAL, f"not a sound binary cache: {problem}")


class Substitute:
    """A store path, as a binary cache has it. `loaded` is called when something more is kept."""

    def __init__(self, files: CacheFiles, trust: Trust, base: str, loaded: Callable[[], None]) -> None:
        self._files = files
        self._trust = trust
        self._base = base
        self._digits = base.partition("-")[0]
        self._loaded = loaded
        self._root: Once[Node | OSError] = Once(lambda _: self._load())
        self._spool: Spool | None = None

    @property
    def size(self) -> int:
        """Bytes that are kept on the disk."""
        return 0 if self._spool is None else self._spool.size

    def close(self) -> None:
        if self._spool is not None:
            self._spool.close()

    async def root(self) -> Node:
        """The tree. Raises OSError."""
        root = await self._root.get()
        if isinstance(root, OSError):
            raise root
        return root

    async def _load(self) -> Node | OSError:
        """The tree; or what is wrong with it, which will not change."""
        try:
            info = await self._narinfo()
            tree = await self._listed(info) if self._trust.use_listings else None
            return tree if tree is not None else await self._unlisted(info)
        except Unreachable:
            raise
        except OSError as error:
            return error
        finally:
            self._loaded()

    async def _narinfo(self) -> NarInfo:
        name = f"{self._digits}.narinfo"
        data = await self._files.read(name, narinfo.MAX_SIZE)
        if data is None:
            raise FileNotFoundError(errno.ENOENT, "the binary cache does not have it")
        try:
            info = parse_narinfo(data, name, self._trust.store_dir)
        except ConversionError as error:
            raise _lie(str(error)) from error
        self._trust.check(info, self._base)
        return info

    async def _unlisted(self, info: NarInfo) -> Node:
        nar = await self._nar(info)
        return await self._judged(partial(nar_tree, nar.open, self._trust.max_entries))

    async def _nar(self, info: NarInfo) -> Spool:
        packed = await self._files.fetch(info.url, info.file_size or self._trust.max_nar_size)
        self._spool = await self._judged(partial(_unpacked, packed, info))
        return self._spool

    async def _listed(self, info: NarInfo) -> Node | None:
        data = await self._files.read(f"{self._digits}.ls", _MAX_LISTING_SIZE)
        if data is None:
            return None
        nar: Once[Spool] = Once(lambda _: self._nar(info))
        make = partial(self._listed_file, info, nar)
        return await self._judged(partial(listed_tree, data, info.nar_size, self._trust.max_entries, make))

    def _listed_file(
        self, info: NarInfo, nar: Once[Spool], start: int, size: int, executable: bool
    ) -> File:
        return File(size, executable, partial(self._open_listed, info, nar, start, size))

    @asynccontextmanager
    async def _open_listed(
        self, info: NarInfo, nar: Once[Spool], start: int, size: int, path: str
    ) -> AsyncIterator[FileReader]:
        head = _CONTENTS + size.to_bytes(8, "little")
        place = start - len(head), size + len(head), path
        async with (
            self._files.open_part(info.url, *place)
            if info.compression == "none"
            else open_part((await self._kept(nar, path)).open, *place)
        ) as file:
            if file.size != place[1] or await _read(file, len(head)) != head:
                raise OSError(errno.EINVAL, "not a sound binary cache: the listing is of another NAR", path)
            yield Section(file, size)

    async def _kept(self, nar: Once[Spool], path: str) -> Spool:
        try:
            return await nar.get()
        except OSError as error:
            raise OSError(errno_of(error), reason(error), path) from error
        finally:
            self._loaded()

    async def _judged(self, function: Callable[[], T]) -> T:
        return await in_thread(partial(_judge, function))


def _judge(function: Callable[[], T]) -> T:
    with blamed(None):
        return function()


def _unpacked(packed: Spool, info: NarInfo) -> Spool:
    """The NAR in the file that was fetched, if both are what the narinfo says. Blocks."""
    _compare("its NAR's file", packed, info.file_size or packed.size, info.file_hash)
    if info.compression == "none":
        nar = packed
    else:
        nar = inflate(packed.open, info.compression, info.nar_size)
        packed.close()
    _compare("its NAR", nar, info.nar_size, info.nar_hash)
    return nar


def _compare(what: str, spool: Spool, size: int, hash: Hash | None) -> None:
    if spool.size != size:
        raise _lie(f"{what} has {spool.size} bytes, not {size}")
    if hash is None:
        return
    with spool.open() as file:
        digest = hashlib.file_digest(file, lambda: new_hasher(hash.algorithm)).digest()
    if digest != hash.digest:
        raise _lie(f"{what} has another hash")
