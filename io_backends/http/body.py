"""The body of an answer, read within bounds of room and time."""

from __future__ import annotations

import time
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress

import anyio.lowlevel
import httpx2

# Bytes that `drain` reads at most, and that gzip may add to what it cannot compress.
_DRAINED = 1 << 16
# What is decompressed in one go, in some 0.3 ms.
_INFLATED = 1 << 18
# Pieces that may have come before an answer was closed.
_PENDING = 100
# Bytes a second, on average, below which a server is held to hang.
_SLOWEST = 1 << 10


class Unsuitable(Exception):
    """An answer that is not to be used, and why."""


async def read_body(response: httpx2.Response, encoding: str, limit: int, grace: float) -> bytes | None:
    """The content, decompressed; None if it has more than `limit` bytes.

    Raises Unsuitable; zlib.error for gzip that is damaged; TimeoutError for a server that hangs: one
    that sends a byte now and then, as told after `grace` seconds; and what httpx2 raises.
    """
    _check_framing(response)
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise Unsuitable("the answer is in a content encoding that was not asked for")
    pieces = _pieces(response, grace)
    whole = bytearray()
    async with aclosing(pieces if encoding == "identity" else _inflated(pieces, limit)) as decoded:
        async for piece in decoded:
            whole += piece
            if len(whole) > limit:
                return None
    return bytes(whole)


async def drain(response: httpx2.Response, grace: float) -> None:
    """Reads what matters to nobody, if it is short, so that the connection can be used again."""
    total = 0
    async with aclosing(_pieces(response, grace)) as pieces:
        async for piece in pieces:
            total += len(piece)
            if total > _DRAINED:
                return


def _check_framing(response: httpx2.Response) -> None:
    """Refuses what ends where the connection does: it might have been cut off."""
    framed = "content-length" in response.headers or "transfer-encoding" in response.headers
    on_network = "network_stream" in response.extensions
    if not framed and on_network and response.http_version.startswith("HTTP/1"):
        raise Unsuitable("the answer does not say where it ends")


async def _pieces(response: httpx2.Response, grace: float) -> AsyncGenerator[bytes]:
    begin = time.monotonic()
    total = 0
    async with _ending(response) as pieces:
        async for piece in pieces:
            yield piece
            total += len(piece)
            took = time.monotonic() - begin
            if took > grace and total < took * _SLOWEST:
                raise TimeoutError


async def _inflated(pieces: AsyncGenerator[bytes], limit: int) -> AsyncGenerator[bytes]:
    """Decompresses gzip a bounded piece at a time. zlib.error if it is damaged or cut off, or if what was
    worth `limit` bytes at most has become more by being compressed."""
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    taken = 0
    async with aclosing(pieces):
        async for piece in pieces:
            taken += len(piece)
            while piece and not inflater.eof:
                yield inflater.decompress(piece, _INFLATED)
                piece = inflater.unconsumed_tail
                await anyio.lowlevel.checkpoint()
            if piece or inflater.unused_data or taken > limit + _DRAINED:
                raise zlib.error
    if not inflater.eof:
        raise zlib.error


@asynccontextmanager
async def _ending(response: httpx2.Response) -> AsyncGenerator[AsyncIterator[bytes]]:
    """The pieces of an answer, which need not be read to their end.

    To close httpx2's generator leaves the one inside of it half-way, of which trio warns. An error ends
    both: that of a connection which is closed already, once the pieces that came before have been passed.
    """
    pieces = response.aiter_raw()
    try:
        yield pieces
    finally:
        await response.aclose()
        with suppress(httpx2.HTTPError, StopAsyncIteration):
            for _ in range(_PENDING):
                await anext(pieces)
