"""Signatures of store paths: whose keys are trusted, and what they have signed. (Nix manual, "Signing")"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterable


class PublicKeys:
    """Ed25519 keys that are trusted, each `name:` and base 64, as in Nix's `trusted-public-keys`.

        keys = PublicKeys(["example.org-1:RJgL1F2olIm6AmJA3DFTmYZwmVsiB3pgsW24VvWf0Z8="])
        keys.have_signed(narinfo.fingerprint(), narinfo.signatures)

    Raises ValueError for what is no key. Needs the extra `signatures`.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = dict([_key(text) for text in keys])

    def have_signed(self, text: str, signatures: Iterable[str]) -> bool:
        """Is one of the signatures, each `name:` and base 64, of this text and by a trusted key?"""
        data = text.encode("utf-8", "surrogateescape")
        return any([self._is_of(signature, data) for signature in signatures])

    def _is_of(self, signature: str, data: bytes) -> bool:
        name, _, digits = signature.partition(":")
        return name in self._keys and self._keys[name](_decoded(digits), data)


def _key(text: str) -> tuple[str, Callable[[bytes, bytes], bool]]:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError as error:
        raise ImportError('signatures need a package: pip install "aionix-eval[signatures]"') from error
    name, _, digits = text.partition(":")
    try:
        key = Ed25519PublicKey.from_public_bytes(_decoded(digits))
    except ValueError as error:
        raise ValueError(f"'{text}' is no public key: a name, ':', and 32 bytes in base 64") from error

    def verify(signature: bytes, data: bytes) -> bool:
        try:
            key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    return name, verify


def _decoded(digits: str) -> bytes:
    """The bytes; none if that is not base 64."""
    try:
        return b64decode(digits, validate=True)
    except ValueError:
        return b""
