"""Compressed bytes, inflated piece by piece."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Protocol, cast

# As Nix names them in a narinfo, with the bytes that such a file begins with.
_MAGIC = {"gzip": b"\x1f\x8b", "bzip2": b"BZh", "xz": b"\xfd7zXZ\0", "zstd": b"\x28\xb5\x2f\xfd"}
#: Bytes of which `compression_of` can tell.
MAGIC_SIZE = 6

# The worst that so few bytes can become is 64 MiB: blocks of zstd, each four bytes that stand for
# 128 KiB. Of bzip2 they would be 2 GiB, but it stops when it is told to, as xz does.
_PIECE = 1 << 11
_MAX_INFLATED = 1 << 20
# What xz and zstd look back on, at most: their highest levels need 65 and 128 MiB.
_MAX_WINDOW = 1 << 27


class _Decompressor(Protocol):
    """Of one stream. What follows it is left in `unused_data`."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Stream(Protocol):
    """A decompressor that cannot stop before its input ends."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


class _AtOnce:
    """... and how it is used all the same."""

    needs_input = True

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._stream.decompress(data)


def compression_of(start: bytes) -> str | None:
    """The compression of a file that begins with these bytes; None if it has none that is known."""
    return next((name for name, magic in _MAGIC.items() if start.startswith(magic)), None)


def inflated(file: IO[bytes], compression: str) -> Iterator[bytes]:
    """What `file` holds, in pieces of at most 64 MiB. `compression` is what `compression_of` gives.

    Raises EOFError if it is cut off, ValueError if it is damaged, and ImportError if the package is
    missing that reads it.
    """
    data = file.read(_PIECE)
    while data:
        stream = _DECOMPRESSORS[compression]()
        while not stream.eof:
            if not data:
                raise EOFError("it ends too early")
            yield from _pieces(stream, data)
            data = b"" if stream.eof else file.read(_PIECE)
        # Streams may follow one another, with zeros between them.
        data = stream.unused_data.lstrip(b"\0")
        while not data and (more := file.read(_PIECE)):
            data = more.lstrip(b"\0")


def _pieces(stream: _Decompressor, data: bytes) -> Iterator[bytes]:
    try:
        yield stream.decompress(data, _MAX_INFLATED)
        while not (stream.eof or stream.needs_input):
            yield stream.decompress(b"", _MAX_INFLATED)
    except Exception as error:  # each package has its own
        raise ValueError(str(error)) from error


def _zstd() -> _Decompressor:
    try:
        from compression import zstd  # since Python 3.14
    except ImportError:
        return _AtOnce(_zstandard())
    options = {zstd.DecompressionParameter.window_log_max: 27}
    return cast(_Decompressor, zstd.ZstdDecompressor(options=options))


def _zstandard() -> _Stream:
    try:
        import zstandard
    except ImportError as error:
        raise ImportError('zstd needs a package: pip install "aionix-eval[zstd]"') from error
    return zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).decompressobj()


_DECOMPRESSORS: dict[str, Callable[[], _Decompressor]] = {
    "gzip": lambda: _AtOnce(zlib.decompressobj(wbits=31)),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(memlimit=_MAX_WINDOW),
    "zstd": _zstd,
}
