"""Ranges: a large file, or a part of one, in pieces; all of them of the same version of it."""

from __future__ import annotations

import errno
from http import HTTPStatus

from aionix.io import FileReader
from io_backends.http.client import LARGE, Client
from io_backends.http.nodes import File
from io_backends.http.wire import Answer

_MANY = 1 << 60


async def open_part(client: Client, file: File, start: int, size: int = _MANY) -> FileReader:
    """`size` bytes of a file from `start` on, or what there is of them.

    Requests `LARGE` bytes at a time. A server that knows no ranges gives all at once. ESTALE if the file is
    another one before the end is read.
    """
    first = await client.part(file.url, file.accept, start, max(1, min(size, LARGE)), None)
    if first.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return _Pieces(client, file, first, start, start, b"")
    if first.is_file:
        return _Pieces(client, file, first, start, start, _all(client, first)[start : start + size])
    if first.status != HTTPStatus.PARTIAL_CONTENT:
        raise client.error(errno.ENOENT, "the file is gone")
    piece, total = _checked(client, first, start)
    return _Pieces(client, file, first, start, min(start + size, total), piece[:size])


def _all(client: Client, answer: Answer) -> bytes:
    if answer.body is None:
        raise client.error(errno.EFBIG, "a file this large, and the server knows no ranges")
    return answer.body


def _checked(client: Client, answer: Answer, start: int) -> tuple[bytes, int]:
    """The bytes of a 206, which begin where they should, and the size of the whole file."""
    if answer.body is None or answer.span is None or answer.span[:2] != (start, start + len(answer.body)):
        raise client.error(errno.EPROTO, "the answer is another range than was asked for")
    if not answer.body or answer.span[1] > answer.span[2]:
        raise client.error(errno.EPROTO, "the answer is a range that cannot be")
    return answer.body, answer.span[2]


class _Pieces:
    """A FileReader from `start` to `end`, whose first bytes are here."""

    def __init__(
        self, client: Client, file: File, first: Answer, start: int, end: int, piece: bytes
    ) -> None:
        self._client = client
        self._file = file
        self._first = first
        self._at = start + len(piece)
        self._end = max(end, self._at)
        self._piece = memoryview(piece)
        self.size = self._end - start

    async def read(self, count: int) -> bytes:
        if not self._piece and self._at < self._end:
            self._piece = memoryview(await self._next())
            self._at += len(self._piece)
        piece, self._piece = bytes(self._piece[:count]), self._piece[count:]
        return piece

    async def _next(self) -> bytes:
        size = min(LARGE, self._end - self._at)
        answer = await self._client.part(
            self._file.url, self._file.accept, self._at, size, self._first.validator
        )
        same = answer.validator == self._first.validator
        if not same or answer.status != HTTPStatus.PARTIAL_CONTENT:
            raise self._client.error(errno.ESTALE, "the file changed while it was read")
        piece, total = _checked(self._client, answer, self._at)
        if self._first.span is None or total != self._first.span[2]:
            raise self._client.error(errno.ESTALE, "the file changed while it was read")
        return piece[:size]
