"""`hashString`, `convertHash` and `placeholder`; spellings are tested in test_store_hashes."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aionix.builtins.hashing  # noqa: F401  # importing registers
from aionix.builtins.registry import REGISTRY
from aionix.errors import ContextError, FileError, InvalidHash, MissingAttribute, TypeMismatch
from aionix.evaluation import EvaluationBuilder
from aionix.values.attrs import AttrSet
from aionix.values.strings import context_of, from_bytes, with_context
from io_backends import Memory

SOURCE = frozenset({"/nix/store/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-f"})
EMPTY_SRI = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def nix(name: str, *arguments: object) -> object:
    return REGISTRY[name].bind(None).run(*arguments)  # type: ignore[arg-type]  # none of these is impure


@given(st.sampled_from(["md5", "sha1", "sha256", "sha512"]), st.binary(max_size=20))
def test_strings_are_hashed_as_bytes(algorithm: str, data: bytes) -> None:
    assert nix("hashString", algorithm, from_bytes(data)) == hashlib.new(algorithm, data).hexdigest()


def test_a_hash_has_no_context() -> None:
    text = nix("hashString", "md5", with_context("x", SOURCE))
    assert isinstance(text, str)
    assert context_of(text) == frozenset()


def test_the_algorithm_is_checked_before_the_text() -> None:
    with pytest.raises(
        InvalidHash, match="unknown hash algorithm 'SHA256', expect 'md5', 'sha1', 'sha256', or"
    ):
        nix("hashString", "SHA256", 1)
    with pytest.raises(ContextError):
        nix("hashString", with_context("md5", SOURCE), "")


@pytest.mark.parametrize(
    ("format", "expected"),
    [
        ("base16", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("nix32", "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"),
        ("base32", "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"),
        ("base64", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
        ("sri", EMPTY_SRI),
    ],
)
def test_hashes_are_converted(format: str, expected: str) -> None:
    assert nix("convertHash", AttrSet(hash=EMPTY_SRI, toHashFormat=format)) == expected
    bare = AttrSet(hash=EMPTY_SRI[7:], hashAlgo="sha256", toHashFormat=format)
    assert nix("convertHash", bare) == expected


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, MissingAttribute, "attribute 'hash' missing"),
        ({"hash": EMPTY_SRI}, MissingAttribute, "attribute 'toHashFormat' missing"),
        ({"hash": 1}, TypeMismatch, "expected a string but found an integer: 1"),
        ({"hash": "", "hashAlgo": None}, TypeMismatch, "expected a string but found null: null"),
        (
            {"hash": EMPTY_SRI, "toHashFormat": "hex"},
            InvalidHash,
            "unknown hash format 'hex', expect 'base16', 'base32', 'base64', or 'sri'",
        ),
    ],
)
def test_conversions_that_fail(arguments: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{message}$"):
        nix("convertHash", AttrSet(arguments))


def test_a_placeholder_stands_for_each_output() -> None:
    assert nix("placeholder", "out") == "/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9"
    assert nix("placeholder", "dev") == "/02qcpld1y6xhs5gz9bchpxaw0xdhmsp5dv88lh25r2ss44kh8dxz"


@pytest.mark.anyio
async def test_files_are_hashed_whatever_is_in_them() -> None:
    evaluation = EvaluationBuilder(Memory({"f": b"\0\xff"})).build()
    result = await evaluation.evaluate('builtins.hashFile "sha1" /f')
    assert result.unwrap().raw == hashlib.sha1(b"\0\xff").hexdigest()


@pytest.mark.anyio
async def test_a_missing_file_has_no_hash() -> None:
    evaluation = EvaluationBuilder(Memory({})).build()
    with pytest.raises(FileError, match=r"^opening file '/f': No such file or directory$"):
        (await evaluation.evaluate('builtins.hashFile "sha1" /f')).unwrap()
    with pytest.raises(InvalidHash):
        (await evaluation.evaluate('builtins.hashFile "crc32" /f')).unwrap()
