"""Digests and their spellings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aionix.errors import InvalidHash
from aionix.store import nix32
from aionix.store.hashes import SIZES, Hash, hash_bytes, parse_hash, parse_hash_allow_empty, parse_sri

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
EMPTY_SRI = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

digests = st.sampled_from(sorted(SIZES)).flatmap(
    lambda name: st.binary(min_size=SIZES[name], max_size=SIZES[name]).map(lambda data: Hash(name, data))
)


@given(st.binary(max_size=70))
def test_nix32_reads_back_what_it_wrote(data: bytes) -> None:
    text = nix32.encode(data)
    assert len(text) == nix32.encoded_length(len(data))
    assert nix32.decode(text, len(data)) == data


@given(st.text(nix32.ALPHABET, min_size=52, max_size=52))
def test_no_two_nix32_texts_mean_the_same(text: str) -> None:
    try:
        data = nix32.decode(text, 32)
    except ValueError:
        return
    assert nix32.encode(data) == text


@pytest.mark.parametrize("text", ["", "0", "zz", "e0"])
def test_nix32_refuses_what_spells_no_byte(text: str) -> None:
    with pytest.raises(ValueError):
        nix32.decode(text, 1)


@pytest.mark.parametrize(
    ("algorithm", "format", "text"),
    [
        ("md5", "nix32", "4isrb4r572pm8bm711cslm6xjb"),
        ("sha1", "sri", "sha1-gLMzNlCEp09Qb50rH0nFohUuAEw="),
        ("sha256", "base16", "c597e430250b6c6efd7a1bb82ae745a381209afc991c8a1df2a76ed383e9f5a9"),
        (
            "sha512",
            "nix32",
            "1r0013wq5ypjhizidpx3qz9psf5gw9d40zwxfmy13lqv8k69rc1zx2znapz4i7gc7yhf7w5a15mxhibx7qqsi9hknr1p17ljkpgfw6b",
        ),
    ],
)
def test_hashes_are_spelled_as_nix_spells_them(algorithm: str, format: str, text: str) -> None:
    assert hash_bytes(algorithm, b"aionix").spell(format) == text


@given(digests, st.sampled_from(["base16", "nix32", "base64", "sri"]))
def test_every_spelling_reads_back(digest: Hash, format: str) -> None:
    assert parse_hash(digest.spell(format), digest.algorithm) == digest


@given(digests, st.sampled_from(["base16", "nix32", "base64", "sri"]), st.data())
def test_a_changed_spelling_is_another_hash_or_none(digest: Hash, format: str, more: st.DataObject) -> None:
    text = digest.spell(format)
    at = more.draw(st.integers(0, len(text)))
    text = text[:at] + more.draw(st.text(max_size=3)) + text[at + more.draw(st.integers(0, 3)) :]
    text = text.encode("utf-8", "replace").decode()
    try:
        found = parse_hash(text, digest.algorithm)
    except InvalidHash:
        return
    assert len(found.digest) == SIZES[digest.algorithm]


@given(digests)
def test_a_hash_may_name_its_algorithm(digest: Hash) -> None:
    assert parse_hash(digest.spell("sri")) == digest
    assert parse_hash(f"{digest.algorithm}:{digest.spell('nix32')}") == digest


@pytest.mark.parametrize(
    "text", [EMPTY_SRI.rstrip("="), EMPTY_SRI + "abc", EMPTY_SRI[:20] + "\n" + EMPTY_SRI[20:]]
)
def test_base64_is_read_generously(text: str) -> None:
    assert parse_hash(text).digest.hex() == EMPTY


def test_base16_may_be_upper_case() -> None:
    assert parse_hash(EMPTY.upper(), "sha256").digest.hex() == EMPTY


@pytest.mark.parametrize("algorithm", sorted(SIZES))
def test_an_empty_hash_is_all_zeros_where_that_is_allowed(algorithm: str) -> None:
    assert parse_hash_allow_empty("", algorithm) == Hash(algorithm, bytes(SIZES[algorithm]))
    with pytest.raises(InvalidHash, match=r"^empty hash requires explicit hash algorithm$"):
        parse_hash_allow_empty("")
    assert parse_hash_allow_empty(EMPTY_SRI).digest.hex() == EMPTY


@given(digests)
def test_sri_may_be_asked_for(digest: Hash) -> None:
    assert parse_sri(digest.spell("sri")) == digest
    with pytest.raises(InvalidHash, match=r"^hash '[0-9a-f]*' is not SRI$"):
        parse_sri(digest.spell("base16"))


@pytest.mark.parametrize(
    ("text", "algorithm", "message"),
    [
        ("crc32-AAAA", None, "unknown hash algorithm 'crc32', expect 'md5', 'sha1', 'sha256', or 'sha512'"),
        (
            EMPTY,
            None,
            f"hash '{EMPTY}' does not include a type, nor is the type otherwise known from context",
        ),
        (EMPTY_SRI, "md5", f"hash '{EMPTY_SRI}' should have type 'md5'"),
        ("abc", "md5", "hash 'abc' has wrong length for hash algorithm 'md5'"),
        ("x" * 64, "sha256", f"invalid base-16 hash '{'x' * 64}'"),
        ("z" * 52, "sha256", f"invalid base-32 hash '{'z' * 52}'"),
        ("!" * 44, "sha256", f"invalid base-64 hash '{'!' * 44}'"),
        ("x" * 62 + "é", "sha256", f"invalid base-16 hash '{'x' * 62}é'"),
        ("  " + EMPTY[2:], "sha256", f"invalid base-16 hash '  {EMPTY[2:]}'"),
        ("", "sha256", "hash '' has wrong length for hash algorithm 'sha256'"),
        ("sha256-", None, "invalid SRI hash ''"),
        ("sha256-" + EMPTY, None, f"invalid SRI hash '{EMPTY}'"),
        (EMPTY_SRI.replace("+", "-"), None, f"invalid SRI hash '{EMPTY_SRI[7:].replace('+', '-')}'"),
        ("-", None, "unknown hash algorithm '', expect 'md5', 'sha1', 'sha256', or 'sha512'"),
        ("a:b-c", None, "unknown hash algorithm 'a', expect 'md5', 'sha1', 'sha256', or 'sha512'"),
        ("sha256-é", None, "invalid SRI hash 'é'"),
    ],
)
def test_what_is_no_hash_is_refused(text: str, algorithm: str | None, message: str) -> None:
    with pytest.raises(InvalidHash) as caught:
        parse_hash(text, algorithm)
    assert caught.value.message == message
