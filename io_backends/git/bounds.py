"""Bounds: how large the objects of a pack become is looked up before anything is unpacked.

A pack tells of each object how long it is, and of a delta how long its result is; dulwich takes memory
for that, and a megabyte of zeros or of copies stands for gigabytes. gitformat-pack(5).
"""

from __future__ import annotations

import errno
import mmap
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from dulwich.pack import OFS_DELTA, REF_DELTA

from io_backends.threaded import fail

#: Objects take 200 bytes each while a pack is indexed. The kernel of Linux has 90,000 files.
MAX_OBJECTS = 2_000_000
_WINDOW = 1 << 16
# A delta begins with two numbers of at most 10 bytes.
_DELTA_HEAD = 20


def check_pack(file: BinaryIO, id_length: int, max_object: int, max_total: int) -> None:
    """EFBIG if an object, or all of them, become larger than that many bytes. What is no pack, which
    may raise anything, is found out as well when it is unpacked."""
    file.flush()
    total = 0
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as pack:
        if int.from_bytes(pack[8:12]) > MAX_OBJECTS:
            fail(errno.EFBIG, f"git: more than {MAX_OBJECTS} objects")
        for size in _sizes(pack, int.from_bytes(pack[8:12]), id_length):
            total += size
            if size > max_object or total > max_total:
                fail(errno.EFBIG, f"git: an object of more than {max_object} bytes, or {max_total} in all")


def _sizes(pack: mmap.mmap, count: int, id_length: int) -> Iterator[int]:
    at = 12
    for _ in range(count):
        kind = pack[at] >> 4 & 7
        low = pack[at] & 15
        high, at = _number(pack, at + 1) if pack[at] & 128 else (0, at + 1)
        yield high << 4 | low
        if kind == OFS_DELTA:
            _, at = _number(pack, at)
        elif kind == REF_DELTA:
            at += id_length
        head, at = _passed(pack, at)
        if kind in (OFS_DELTA, REF_DELTA):
            _, after_base = _number(head, 0)
            yield _number(head, after_base)[0]


def _number(data: mmap.mmap | bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        shift += 7
        at += 1
        if byte < 128:
            return value, at


def _passed(pack: mmap.mmap, at: int) -> tuple[bytes, int]:
    """How a compressed stream begins, and where it ends. No more than a window of it is in memory."""
    engine = zlib.decompressobj()
    head = b""
    compressed = b""
    while not engine.eof:
        if not compressed:
            compressed = pack[at : at + _WINDOW]
            at += len(compressed)
        piece = engine.decompress(compressed, _WINDOW)
        compressed = engine.unconsumed_tail
        head = head or piece[:_DELTA_HEAD]
        if not piece and not compressed and at >= len(pack):
            raise ValueError("the pack ends inside an object")
    return head, at - len(engine.unused_data)
