"""A commit of a git repository as a backend."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo
from same_tree import TREE, evaluates_as_in_memory

from io_backends import Executable, Git, Symlink, contract
from io_backends.memory import Node

pytestmark = pytest.mark.anyio

def stored(repo: Repo, node: Node) -> tuple[int, ObjectID]:
    """Puts a node of `Memory` into a repository."""
    made: ShaFile
    if isinstance(node, Mapping):
        mode, made = 0o040000, Tree()
        for name, inner in node.items():
            made.add(os.fsencode(name), *stored(repo, inner))
    elif isinstance(node, Symlink):
        mode, made = 0o120000, Blob.from_string(os.fsencode(node.target))
    else:
        content = node.content if isinstance(node, Executable) else node
        mode = 0o100755 if isinstance(node, Executable) else 0o100644
        made = Blob.from_string(content.encode() if isinstance(content, str) else content)
    repo.object_store.add_object(made)
    return mode, made.get_id(repo.object_format)


def commit(repo: Repo, tree: Mapping[str, Node] | ObjectID, ref: str = "refs/heads/main") -> str:
    made = Commit()
    made.tree = tree if isinstance(tree, bytes) else stored(repo, tree)[1]
    made.author = made.committer = b"A <a@example.org>"
    made.author_time = made.commit_time = 1_000_000_000
    made.author_timezone = made.commit_timezone = 0
    made.message = b"message"
    repo.object_store.add_object(made)
    id = made.get_id(repo.object_format)
    repo.refs[Ref(ref.encode())] = id
    return id.decode()


def bare(path: Path, tree: Mapping[str, Node] = TREE, object_format: str = "sha1") -> Path:
    path.mkdir()
    with Repo.init_bare(path, default_branch=b"main", object_format=object_format) as repo:
        commit(repo, tree)
    return path


def packed(path: Path) -> Path:
    with Repo(path) as repo:
        repo.object_store.pack_loose_objects()
    return path


@pytest.mark.parametrize("check", contract.checks(), ids=str)
async def test_a_commit_keeps_the_contract(check: contract.Check, tmp_path: Path) -> None:
    path = bare(tmp_path / "it", check.tree)
    await check(lambda tree: Git(path))


@pytest.mark.parametrize("check", contract.checks(), ids=str)
async def test_a_packed_commit_keeps_the_contract(check: contract.Check, tmp_path: Path) -> None:
    path = packed(bare(tmp_path / "it", check.tree))
    await check(lambda tree: Git(path))


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize("pack", [bare, lambda *args: packed(bare(*args))], ids=["loose", "packed"])
async def test_an_evaluation_reads_a_commit_as_it_reads_the_same_tree_in_memory(
    tmp_path: Path, pack: object, object_format: str
) -> None:
    assert callable(pack)
    async with Git(pack(tmp_path / "it", TREE, object_format)) as io:
        await evaluates_as_in_memory(io, TREE)
