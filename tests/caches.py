"""Binary caches made without Nix, as trees of `Memory`: what the tests of `BinaryCache` read."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace

import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from aionix.store.hashes import hash_bytes
from aionix.store.nar import write_nar
from aionix.store.nar_reader import NarEntry, nar_entries
from aionix.store.narinfo import NarInfo
from io_backends import Memory
from io_backends.memory import Node

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "none": lambda data: data,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.compress,
}

_SECRET = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC_KEY = "test:" + b64encode(_SECRET.public_key().public_bytes_raw()).decode()
BASE = "0" * 32 + "-tree"
PATH = f"/nix/store/{BASE}"


async def packed_nar(tree: Node) -> bytes:
    """The NAR of a tree, or of a single file, of `Memory`."""
    pieces: list[bytes] = []

    async def keep(piece: bytes) -> None:
        pieces.append(piece)

    await write_nar(Memory({"root": tree}), "/root", keep)
    return b"".join(pieces)


def signed(info: NarInfo) -> NarInfo:
    signature = b64encode(_SECRET.sign(info.fingerprint().encode())).decode()
    return replace(info, signatures=frozenset({f"test:{signature}"}))


def described(nar: bytes, compression: str = "none", base: str = BASE) -> NarInfo:
    """The narinfo, not signed, of a NAR and the file it lies in."""
    file = PACKERS[compression](nar)
    return NarInfo(
        path=f"/nix/store/{base}",
        url=f"nar/{base[:32]}.nar",
        compression=compression,
        file_hash=hash_bytes("sha256", file),
        file_size=len(file),
        nar_hash=hash_bytes("sha256", nar),
        nar_size=len(nar),
    )


async def cache_of(tree: Node, compression: str = "none", base: str = BASE) -> dict[str, Node]:
    """A cache that has one store path, signed and listed."""
    nar = await packed_nar(tree)
    return cache_with(signed(described(nar, compression, base)), PACKERS[compression](nar), listing(nar))


def cache_with(info: NarInfo, file: bytes, ls: bytes | None = None) -> dict[str, Node]:
    """A cache of these files, whatever is wrong with them."""
    digits = info.path.rpartition("/")[2][:32]
    cache: dict[str, Node] = {
        f"{digits}.narinfo": info.to_text(),
        "nix-cache-info": "StoreDir: /nix/store\n",
        "nar": {info.url.rpartition("/")[2]: file},
    }
    return cache if ls is None else cache | {f"{digits}.ls": ls}


def listing(nar: bytes) -> bytes:
    """What C++ Nix writes with `write-nar-listing=true`."""
    nodes: dict[str, dict[str, object]] = {}
    for entry in nar_entries(nar):
        node = nodes[entry.path] = _listed(entry)
        if entry.path:
            above, _, name = entry.path.rpartition("/")
            entries = nodes[above]["entries"]
            assert isinstance(entries, dict)
            entries[name] = node
    return json.dumps({"root": nodes[""], "version": 1}, ensure_ascii=False).encode("utf-8", "surrogateescape")


def _listed(entry: NarEntry) -> dict[str, object]:
    if entry.kind.value == "directory":
        return {"type": "directory", "entries": {}}
    if entry.kind.value == "symlink":
        return {"type": "symlink", "target": entry.target}
    node: dict[str, object] = {"type": "regular", "size": entry.size, "narOffset": entry.offset}
    return node | ({"executable": True} if entry.executable else {})


