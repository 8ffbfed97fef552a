"""Store paths. The expected ones were printed by C++ Nix 2.26.3 for the same trees."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aionix.errors import InvalidArgument
from aionix.io import EvalIO, FileType
from aionix.store.hashes import parse_hash
from aionix.store.nar import nar_hash
from aionix.store.paths import base_name, compress, fixed_output_path, name_problem, source_path, text_path
from io_backends import Executable, Memory, Symlink
from io_backends.memory import Node

TREE: Mapping[str, Node] = {
    "hello.txt": "hello\n",
    "run": Executable("#!/bin/sh\n"),
    "sub": {".keep": "", "link": Symlink("../hello.txt")},
    "empty": {},
    "B": "B",
    "é": "é",
}


async def copied(io: EvalIO, path: str) -> str:
    return source_path(base_name(path), await nar_hash(io, path))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/tree", "/nix/store/lshh110m2rk3gpi4qx55xi9yy2rl0sfg-tree"),
        ("/eight", "/nix/store/i47rhbbsdb2386vcs55mlaidrpjsnlp6-eight"),
        ("/tree/run", "/nix/store/fhsg3jqz69b5s1ng2y2947cgd10nvswa-run"),
        ("/tree/sub/link", "/nix/store/g05q84vj8kjgdlns6a9j2cbzgy3a18rx-link"),
        ("/tree/empty", "/nix/store/9ljssglw74jabzzsqsl3lim4d5jgh4ya-empty"),
    ],
)
async def test_copies_are_where_nix_puts_them(path: str, expected: str) -> None:
    assert await copied(Memory({"tree": TREE, "eight": "eight888"}), path) == expected


@pytest.mark.anyio
async def test_a_filtered_copy_is_where_nix_puts_it() -> None:
    async def keep(path: str, kind: FileType) -> bool:
        return kind is not FileType.SYMLINK and not path.endswith("/B")

    digest = await nar_hash(Memory({"tree": TREE}), "/tree", keep)
    assert source_path("tree", digest) == "/nix/store/i8fdz75m12lwpbaw4xrg8yvjkmsbddbd-tree"


@pytest.mark.anyio
async def test_a_copy_of_the_root_is_called_source() -> None:
    assert (await copied(Memory({}), "/")).endswith("-source")


def test_texts_are_where_nix_puts_them() -> None:
    greeting = text_path("greeting", b"hello")
    assert greeting == "/nix/store/5akl8zsmda0yrr63v4khwgskih2g2hsh-greeting"
    assert (
        text_path("refs", greeting.encode(), [greeting]) == "/nix/store/n05xsbidk0ai1zdqkgbg10l8zs9n7c66-refs"
    )


@pytest.mark.parametrize(
    ("hash", "recursive", "expected"),
    [
        ("sha1-qvTGHdzF6KLavt4PO0gs2a6pQ00=", False, "6akgbvwy3ssz411f8i5p5fqpnjsqc0cr"),
        ("sha1-qvTGHdzF6KLavt4PO0gs2a6pQ00=", True, "3k11cm6bm724fzmgiz4s73zdgk7ia83b"),
        ("sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=", True, "wyxjijqidjp72jk3808gm53x0m41hbw4"),
    ],
)
def test_fixed_outputs_are_where_nix_puts_them(hash: str, recursive: bool, expected: str) -> None:
    parsed = parse_hash(hash)
    path = fixed_output_path("x", "r:" if recursive else "", parsed.algorithm, parsed.digest)
    assert path == f"/nix/store/{expected}-x"


def test_another_store_directory_has_other_paths() -> None:
    here, there = text_path("a", b""), text_path("a", b"", store_dir="/other")
    assert there.startswith("/other/")
    assert here.rpartition("/")[2] != there.rpartition("/")[2]


@given(st.binary(min_size=20, max_size=20))
def test_folding_keeps_what_is_short_enough(digest: bytes) -> None:
    assert compress(digest, 20) == digest
    assert compress(digest * 2, 20) == bytes(20)


@pytest.mark.parametrize("name", ["a", ".a", "-", "a.b-c_d+e?f=1", "..a", "...-x", "a" * 211])
def test_names_that_may_end_a_store_path(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "name must not be empty"),
        (".", "name '.' is not valid"),
        ("..", "name '..' is not valid"),
        (".-x", "name '.-x' is not valid: first dash-separated component must not be '.'"),
        ("..-x", "name '..-x' is not valid: first dash-separated component must not be '..'"),
        ("a b", "name 'a b' contains illegal character ' '"),
        ("a/b", "name 'a/b' contains illegal character '/'"),
        ("é", "name 'é' contains illegal character '\udcc3'"),
        ("a" * 212, f"name '{'a' * 212}' must be no longer than 211 characters"),
    ],
)
def test_names_that_may_not(name: str, problem: str) -> None:
    assert name_problem(name) == problem
    with pytest.raises(InvalidArgument) as caught:
        text_path(name, b"")
    assert caught.value.message.endswith(f"-{name}' is not a valid store path: {problem}")
