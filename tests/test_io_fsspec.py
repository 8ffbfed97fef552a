"""Any file system of fsspec as a backend."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem
from same_tree import PLAIN, TREE, evaluates_as_in_memory
from test_io_archive import packed_zip
from test_io_contract import write_tree

from io_backends import Fsspec, contract
from io_backends.memory import Node

pytestmark = pytest.mark.anyio

SIMPLE = {"links", "absolute links", "executables", "byte names"}
NUMBERS = count()


def in_memory(tree: Mapping[str, Node]) -> str:
    """The URL of a tree in fsspec's memory."""
    root = f"/tree{next(NUMBERS)}"
    upload(MemoryFileSystem(), tree, root)
    return f"memory:/{root}"


def upload(fs: MemoryFileSystem, tree: Mapping[str, Node], path: str) -> None:
    fs.mkdir(path)
    for name, node in tree.items():
        if isinstance(node, Mapping):
            upload(fs, node, f"{path}/{name}")
        else:
            assert isinstance(node, str | bytes)
            fs.pipe_file(f"{path}/{name}", node.encode() if isinstance(node, str) else node)


@pytest.mark.parametrize("check", contract.checks(without=SIMPLE), ids=str)
async def test_memory_of_fsspec_keeps_the_contract(check: contract.Check) -> None:
    await check(lambda tree: Fsspec(in_memory(tree)))


@pytest.mark.parametrize("check", contract.checks(), ids=str)
async def test_the_disk_through_fsspec_keeps_the_contract(check: contract.Check, tmp_path: Path) -> None:
    write_tree(tmp_path, check.tree)
    await check(lambda tree: Fsspec(LocalFileSystem(), str(tmp_path)))


@pytest.mark.parametrize("check", contract.checks(without=SIMPLE), ids=str)
async def test_a_chained_url_keeps_the_contract(check: contract.Check, tmp_path: Path) -> None:
    archive = tmp_path / "it.zip"
    archive.write_bytes(packed_zip({"top": check.tree}))
    await check(lambda tree: Fsspec(f"zip://top::{archive}"))


async def test_an_evaluation_reads_it_as_it_reads_the_same_tree_in_memory(tmp_path: Path) -> None:
    await evaluates_as_in_memory(Fsspec(in_memory(PLAIN)), PLAIN)
    write_tree(tmp_path, TREE)
    await evaluates_as_in_memory(Fsspec(f"file://{tmp_path}"), TREE)
