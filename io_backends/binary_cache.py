"""BinaryCache: the store paths of a Nix binary cache, which lies in another backend."""

from __future__ import annotations

import errno
from collections import OrderedDict
from collections.abc import Iterable
from typing import Self

from aionix.io import EvalIO, FileType, errno_of, reason
from aionix.store.paths import base_problem
from io_backends.indexed import MAX_ENTRIES, MAX_FILE_SIZE, Indexed, Node, fail, find
from io_backends.signatures import PublicKeys
from io_backends.substitutes import CacheFiles, Substitute, Trust

#: Bytes in a NAR, at most.
MAX_NAR_SIZE = 1 << 32
#: What is kept of NARs on the disk, at most.
MAX_KEPT_SIZE = 1 << 34
# Store paths of which something is known, be it that they are missing.
_MAX_KNOWN = 10_000


class BinaryCache(Indexed):
    """The store paths in a Nix binary cache, at `/nix/store/<digest>-<name>`.

        async with Http("https://cache.example.org", Plain(index=None)) as io:
            async with BinaryCache(io, trusted_public_keys=["example.org-1:RJgL1F2o..."]) as store:
                await store.read("/nix/store/iw0v03g6sm2cjiaczsv3agc7m0q94f4q-tree/a.txt")

    The cache is the `directory` of `io` where `nix-cache-info` would be. For each store path that is looked
    into, its narinfo is read and its NAR fetched, once; the NAR is kept in a file without a name, until
    `max_kept_size` bytes of them push out what was not used for longest. The store itself cannot be
    listed (ENOTSUP).

    Nothing is given out whose NAR, as it came and inflated, does not have the size and the hash of its
    narinfo, which must be signed by one of `trusted_public_keys` (EACCES; extra `signatures`), unless the
    store path is itself made from the hash. `require_signatures=False` trusts who serves the cache.

    `use_listings=True` trusts that, too: where there is a listing (`<digest>.ls`), names and kinds are taken
    from it, and files from an uncompressed NAR one at a time with `open_range`. No hash covers a part of
    a NAR; only that a file of this size begins there is checked then.

    A cache that lies is refused (EINVAL): about the store path, sizes, hashes or names, or with a NAR that
    lies elsewhere than in it. EFBIG is a NAR of more than `max_nar_size` bytes, or a file of more than
    `max_file_size`; EIO a NAR that is missing.
    """

    def __init__(
        self,
        io: EvalIO,
        *,
        trusted_public_keys: Iterable[str] = (),
        require_signatures: bool = True,
        use_listings: bool = False,
        directory: str = "/",
        store_dir: str = "/nix/store",
        max_nar_size: int = MAX_NAR_SIZE,
        max_kept_size: int = MAX_KEPT_SIZE,
        max_file_size: int = MAX_FILE_SIZE,
        max_entries: int = MAX_ENTRIES,
    ) -> None:
        super().__init__(max_file_size)
        self._files = CacheFiles(io, directory.rstrip("/"))
        self._trust = Trust(
            PublicKeys(trusted_public_keys) if require_signatures else None,
            use_listings,
            store_dir,
            max_nar_size,
            max_entries,
        )
        self._store_dir = store_dir
        self._max_kept_size = max_kept_size
        self._above: Node = {}
        for name in reversed(store_dir.split("/")[1:]):
            self._above = {name: self._above}
        self._known: OrderedDict[str, Substitute] = OrderedDict()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the NARs that it keeps."""
        for known in self._known.values():
            known.close()
        self._known.clear()

    def store_dir(self) -> str:
        return self._store_dir

    async def read_dir(self, path: str) -> dict[str, FileType]:
        if await self.resolve(path) == self._store_dir:
            raise OSError(errno.ENOTSUP, "a binary cache cannot be listed", path)
        return await super().read_dir(path)

    async def _find(self, path: str) -> Node:
        if not path.startswith(self._store_dir + "/"):
            return find(self._above, path)
        base, _, rest = path[len(self._store_dir) + 1 :].partition("/")
        try:
            if base_problem(base) is not None:
                fail(errno.ENOENT, path)
            return find(await self._root(base), rest)
        except OSError as error:
            raise OSError(errno_of(error), reason(error), path) from error

    async def _root(self, base: str) -> Node:
        known = self._known.get(base)
        if known is None:
            known = self._known[base] = Substitute(self._files, self._trust, base, self._forget)
        self._known.move_to_end(base)
        return await known.root()

    def _forget(self) -> None:
        """Drops what was not used for longest, of what is too much."""
        kept = sum([known.size for known in self._known.values()])
        while len(self._known) > 1 and (kept > self._max_kept_size or len(self._known) > _MAX_KNOWN):
            kept -= self._known.popitem(last=False)[1].size
