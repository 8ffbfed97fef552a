"""What mentions its own path, against paths that `nix store make-content-addressed` gave (2.26.3)."""

from __future__ import annotations

import pytest

from aionix.store.nar import write_nar
from aionix.store.paths import source_path
from aionix.store.self_reference import ModuloHasher
from io_backends import Memory

DIGITS = "yz0wn8f9wpfcn24rxws4h19s7v0nqaaz"
PATH = f"/nix/store/{DIGITS}-x"


async def hashed(content: str, size: int) -> ModuloHasher:
    hasher = ModuloHasher(DIGITS)

    async def sink(data: bytes) -> None:
        for start in range(0, len(data), size):
            hasher.update(data[start : start + size])

    await write_nar(Memory({"x": content}), "/x", sink)
    return hasher


@pytest.mark.anyio
@pytest.mark.parametrize("size", [1, 31, 32, 33, 1 << 20])
async def test_its_path_is_the_one_that_nix_gives_it(size: int) -> None:
    hasher = await hashed(f"me {PATH} and {PATH}.\n", size)
    assert hasher.refers_to_itself
    expected = "/nix/store/flnjk1vdyz45m304p4ywyn0pm6zjss84-x"
    assert source_path("x", hasher.digest(), refers_to_itself=True) == expected


@pytest.mark.anyio
async def test_the_digits_do_not_matter_what_is_around_them_does() -> None:
    other = ModuloHasher("0" * 32)
    other.update(b"a" + b"0" * 32)
    same = ModuloHasher(DIGITS)
    same.update(f"a{DIGITS}".encode())
    assert other.digest() == same.digest()
    assert not (await hashed("nobody", 100)).refers_to_itself
