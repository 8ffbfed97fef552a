"""Digests: is a content what the listing said?"""

from __future__ import annotations

import errno
import hashlib
from functools import partial

import anyio.to_thread

from aionix.io import FileReader
from io_backends.http.client import Client
from io_backends.http.nodes import File

# Bytes that are hashed in less than two milliseconds.
_QUICK = 1 << 20


async def check(client: Client, file: File, content: bytes) -> None:
    """ESTALE, and not kept any longer, if the size or the digest is another."""
    digest = Digest(file, len(content))
    if len(content) <= _QUICK:
        digest.update(content)
    else:
        await anyio.to_thread.run_sync(partial(digest.update, content), abandon_on_cancel=True)
    digest.compare(client)


class Digest:
    """Takes the bytes of `file`, of which there are `size`, and compares."""

    def __init__(self, file: File, size: int) -> None:
        self._file = file
        self._size = size
        kind, _, self._expected = (file.digest or "").partition(":")
        if kind == "git":  # git's name for a blob: SHA-1, or SHA-256 in newer repositories
            self._hash = hashlib.new("sha1" if len(self._expected) == 40 else "sha256")
            self._hash.update(b"blob %d\0" % size)
        else:
            self._hash = hashlib.sha256()

    def update(self, content: bytes) -> None:
        if self._expected:
            self._hash.update(content)

    def compare(self, client: Client) -> None:
        same_size = self._file.size in (None, self._size)
        if not same_size or (self._expected and self._expected != self._hash.hexdigest()):
            client.forget(self._file.url)
            raise client.error(errno.ESTALE, "the file is not what the listing says: it has changed")


class Checked:
    """A FileReader over `reader` that compares when the end is reached."""

    def __init__(self, client: Client, file: File, reader: FileReader) -> None:
        self._client = client
        self._reader = reader
        self._digest = Digest(file, reader.size)
        self.size = reader.size

    async def read(self, count: int) -> bytes:
        piece = await self._reader.read(count)
        self._digest.update(piece)
        if not piece:
            self._digest.compare(self._client)
        return piece
