"""Store paths: `/nix/store/` + 32 digits + `-` + name, where the digits name what is inside.

(Nix manual, "Store Path Specification")
"""

from __future__ import annotations

import string
from collections.abc import Iterable
from hashlib import sha256

from aionix.errors import InvalidArgument
from aionix.io import EvalIO
from aionix.store import nix32
from aionix.store.nar import nar_hash

DIGEST_LENGTH = 32
MAX_NAME_LENGTH = 211
_NAME_BYTES = frozenset((string.ascii_letters + string.digits + "+-._?=").encode())


def store_path(kind: str, inner: bytes, name: str, store_dir: str) -> str:
    """The path of what `kind` and `inner`, a SHA-256, describe.

    `kind` is `source`, `text`, `output:out` and so on, with references. Raises
    InvalidArgument if `name` cannot be part of a store path.
    """
    fingerprint = f"{kind}:sha256:{inner.hex()}:{store_dir}:{name}"
    digest = sha256(fingerprint.encode("utf-8", "surrogateescape")).digest()
    base = f"{nix32.encode(compress(digest, 20))}-{name}"
    problem = name_problem(name)
    if problem is not None:
        raise InvalidArgument(f"path '{base}' is not a valid store path: {problem}")
    return f"{store_dir}/{base}"


def compress(digest: bytes, size: int) -> bytes:
    """`digest` folded onto itself by exclusive or."""
    folded = bytearray(size)
    for index, byte in enumerate(digest):
        folded[index % size] ^= byte
    return bytes(folded)


def name_problem(name: str) -> str | None:
    """Why `name` cannot end a store path, in Nix's words; None if it can."""
    data = name.encode("utf-8", "surrogateescape")
    if not data:
        return "name must not be empty"
    if len(data) > MAX_NAME_LENGTH:
        return f"name '{name}' must be no longer than {MAX_NAME_LENGTH} characters"
    if name in (".", ".."):
        return f"name '{name}' is not valid"
    first, dash, _ = name.partition("-")
    if dash and first in (".", ".."):
        return f"name '{name}' is not valid: first dash-separated component must not be '{first}'"
    for index, byte in enumerate(data):
        if byte not in _NAME_BYTES:
            char = data[index : index + 1].decode("utf-8", "surrogateescape")
            return f"name '{name}' contains illegal character '{char}'"
    return None


def source_path(name: str, nar_sha256: bytes, store_dir: str = "/nix/store") -> str:
    """Where a file tree is kept: `"${./tree}"`, `builtins.path`."""
    return store_path("source", nar_sha256, name, store_dir)


def text_path(
    name: str, content: bytes, references: Iterable[str] = (), store_dir: str = "/nix/store"
) -> str:
    """Where a text is kept that mentions `references`: `toFile`, derivations."""
    kind = ":".join(["text", *sorted(references)])
    return store_path(kind, sha256(content).digest(), name, store_dir)


def fixed_output_path(
    name: str, algorithm: str, digest: bytes, recursive: bool, store_dir: str = "/nix/store"
) -> str:
    """Where something is kept whose hash, flat or of its NAR, is known beforehand."""
    if recursive and algorithm == "sha256":
        return source_path(name, digest, store_dir)
    method = "r:" if recursive else ""
    inner = sha256(f"fixed:out:{method}{algorithm}:{digest.hex()}:".encode()).digest()
    return store_path("output:out", inner, name, store_dir)


def base_name(path: str) -> str:
    """The name of the store path that a copy of `path` gets."""
    return path.rpartition("/")[2] or "source"


async def copy_path(io: EvalIO, path: str, store_dir: str) -> str:
    """The store path of the file or tree at `path`, computed only. Raises FileError, InvalidArgument."""
    return source_path(base_name(path), await nar_hash(io, path), store_dir)
