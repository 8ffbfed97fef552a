"""The hash of something that mentions its own store path, which depends on that hash.

The digits of its path count as zeros, so the hash does not depend on them. (`nix store
make-content-addressed`, as Nix 2.26.3 does it; older versions also hashed where the digits were.)
"""

from __future__ import annotations

from hashlib import sha256

from aionix.store.paths import DIGEST_LENGTH


class ModuloHasher:
    """A SHA-256 of bytes modulo `digits`, those of the store path that they may mention."""

    def __init__(self, digits: str) -> None:
        self._digits = digits.encode()
        self._hasher = sha256()
        self._tail = b""
        self.refers_to_itself = False  # as far as is known by now

    def update(self, data: bytes) -> None:
        """Takes the next bytes; the digits may lie across two pieces."""
        data = self._tail + data
        if self._digits in data:
            self.refers_to_itself = True
            data = data.replace(self._digits, bytes(DIGEST_LENGTH))
        complete = max(len(data) - (DIGEST_LENGTH - 1), 0)
        self._hasher.update(data[:complete])
        self._tail = data[complete:]

    def digest(self) -> bytes:
        """The hash of all that came; there may come no more."""
        self._hasher.update(self._tail)
        self._tail = b""
        return self._hasher.digest()
