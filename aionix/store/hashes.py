"""Digests, and how Nix spells them: base 16, base 32, base 64, and SRI (W3C, "Subresource
Integrity": `sha256-` and base 64)."""

from __future__ import annotations

import hashlib
from binascii import a2b_base64, b2a_base64
from typing import NamedTuple

from aionix.errors import InvalidHash
from aionix.store import nix32

#: Algorithms and the bytes in their digests.
SIZES = {"md5": 16, "sha1": 20, "sha256": 32, "sha512": 64}
FORMATS = ("base16", "nix32", "base32", "base64", "sri")


def new_hasher(algorithm: str) -> hashlib._Hash:
    """A hashlib object; `algorithm` is one of `SIZES`."""
    return hashlib.new(algorithm, usedforsecurity=False)


def check_algorithm(name: str) -> str:
    """`name`, if it is one of `SIZES`; else InvalidHash."""
    if name not in SIZES:
        raise InvalidHash(f"unknown hash algorithm '{name}', expect 'md5', 'sha1', 'sha256', or 'sha512'")
    return name


def check_format(name: str) -> str:
    """`name`, if it is one of `FORMATS`; else InvalidHash."""
    if name not in FORMATS:
        raise InvalidHash(f"unknown hash format '{name}', expect 'base16', 'base32', 'base64', or 'sri'")
    return name


class Hash(NamedTuple):
    """A digest that knows its algorithm."""

    algorithm: str
    digest: bytes

    def spell(self, format: str) -> str:
        """The digest in one of `FORMATS`; only SRI names the algorithm."""
        if format == "base16":
            return self.digest.hex()
        if format in ("nix32", "base32"):
            return nix32.encode(self.digest)
        text = b2a_base64(self.digest, newline=False).decode()
        return f"{self.algorithm}-{text}" if format == "sri" else text


def hash_bytes(algorithm: str, data: bytes) -> Hash:
    hasher = new_hasher(algorithm)
    hasher.update(data)
    return Hash(algorithm, hasher.digest())


def parse_hash(text: str, algorithm: str | None = None) -> Hash:
    """Reads `algorithm:digest`, `algorithm-base64`, or a bare digest of the given algorithm.

    The length tells base 16, 32 and 64 apart. Raises InvalidHash.
    """
    named, digest, sri = _split(text)
    if named is not None and algorithm is not None and named != algorithm:
        raise InvalidHash(f"hash '{text}' should have type '{algorithm}'")
    algorithm = named or algorithm
    if algorithm is None:
        raise InvalidHash(
            f"hash '{text}' does not include a type, nor is the type otherwise known from context"
        )
    return Hash(algorithm, _parse_digest(digest, algorithm, sri))


def parse_hash_allow_empty(text: str, algorithm: str | None = None) -> Hash:
    """As `parse_hash`; but an empty text, for a hash that is not known yet, is a digest of zeros.

    C++ Nix then warns: `found empty hash, assuming '<sri>'`. Raises InvalidHash.
    """
    if text:
        return parse_hash(text, algorithm)
    if algorithm is None:
        raise InvalidHash("empty hash requires explicit hash algorithm")
    return Hash(algorithm, bytes(SIZES[algorithm]))


def parse_sri(text: str) -> Hash:
    """Reads `algorithm-base64` and nothing else. Raises InvalidHash."""
    name, dash, digest = text.partition("-")
    if not dash:
        raise InvalidHash(f"hash '{text}' is not SRI")
    return Hash(check_algorithm(name), _parse_digest(digest, name, sri=True))


def _split(text: str) -> tuple[str | None, str, bool]:
    for separator in ":-":
        name, found, digest = text.partition(separator)
        if found:
            return check_algorithm(name), digest, separator == "-"
    return None, text, False


def _parse_digest(text: str, algorithm: str, sri: bool) -> bytes:
    size = SIZES[algorithm]
    length = len(text.encode("utf-8", "surrogateescape"))
    try:
        if sri:
            kind, digest = "SRI", _base64(text)
        elif length == size * 2:
            kind = "base-16"
            digest = bytes.fromhex(text)
        elif length == nix32.encoded_length(size):
            kind = "base-32"
            digest = nix32.decode(text, size)
        elif length == (size + 2) // 3 * 4:
            kind = "base-64"
            digest = _base64(text)
        else:
            raise InvalidHash(f"hash '{text}' has wrong length for hash algorithm '{algorithm}'")
    except ValueError:
        kind, digest = kind, b""
    if len(digest) != size:
        raise InvalidHash(f"invalid {kind} hash '{text}'")
    return digest


def _base64(text: str) -> bytes:
    """Up to the first `=`, line breaks and spare bits ignored; b"" if that is not base 64."""
    text = text.partition("=")[0].replace("\n", "")
    if len(text) % 4 == 1:
        text = text[:-1]
    try:
        return a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except ValueError:
        return b""
