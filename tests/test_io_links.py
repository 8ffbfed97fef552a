"""Laws of links: whatever a tree looks like, memory, the disk and the kernel agree on it."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aionix.io import MAX_LINKS, MAX_PATH, EvalIO, follow_links
from io_backends import LocalDisk, Memory, Sealed, Symlink
from io_backends.memory import Node

NAMES = st.sampled_from("abc")
PARTS = st.sampled_from(["a", "b", "c", "..", "."])
RELATIVE = st.lists(PARTS, min_size=1, max_size=5).map("/".join)
TARGETS = RELATIVE | RELATIVE.map("/{}".format)
PATHS = st.lists(NAMES, max_size=5).map(lambda parts: "/" + "/".join(parts))


def trees(targets: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Node]]:
    leaves: st.SearchStrategy[Node] = st.just("text") | targets.map(Symlink)
    nodes = st.recursive(leaves, lambda below: st.dictionaries(NAMES, below, max_size=3), max_leaves=9)
    return st.dictionaries(NAMES, nodes, max_size=3)


def write_tree(directory: Path, tree: Mapping[str, Node]) -> None:
    for name, node in tree.items():
        if isinstance(node, Mapping):
            (directory / name).mkdir()
            write_tree(directory / name, node)
        elif isinstance(node, Symlink):
            (directory / name).symlink_to(node.target)
        else:
            (directory / name).write_text(str(node))


async def sights(io: EvalIO, path: str) -> list[object]:
    """What every look at `path` answers, an error as its number."""
    seen: list[object] = []
    for look in (io.read, io.read_dir, io.file_type, io.read_link, io.path_exists, io.resolve):
        try:
            seen.append(await look(path))
        except OSError as error:
            seen.append(error.errno)
    return seen


class Walking(Memory):
    """Memory that resolves links with EvalIO's own defaults."""

    resolve = EvalIO.resolve


@settings(deadline=None)
@given(trees(TARGETS), PATHS)
def test_memory_and_the_disk_agree_on_every_tree(tree: dict[str, Node], path: str) -> None:
    with TemporaryDirectory() as directory:
        write_tree(Path(directory), tree)
        disk = anyio.run(sights, LocalDisk(directory), path)
    assert anyio.run(sights, Memory(tree), path) == disk
    assert anyio.run(sights, Walking(tree), path) == disk


@settings(deadline=None)
@given(trees(RELATIVE.filter(lambda target: ".." not in target)), PATHS)
def test_the_root_does_not_change_what_stays_inside(tree: dict[str, Node], path: str) -> None:
    with TemporaryDirectory() as directory:
        write_tree(Path(directory), tree)
        prefix = os.path.realpath(directory)
        *inside, resolved = anyio.run(sights, LocalDisk(directory), path)
        *kernel, really = anyio.run(sights, LocalDisk(), (prefix + path).rstrip("/"))
    assert inside == kernel
    assert resolved == (really.removeprefix(prefix) or "/" if isinstance(really, str) else really)


@given(PATHS, st.dictionaries(PATHS, TARGETS))
def test_what_is_resolved_has_no_link_left(path: str, links: dict[str, str]) -> None:
    try:
        resolved = follow_links(path, links.get)
    except OSError as error:
        assert error.errno == errno.ELOOP
        return
    assert follow_links(resolved, links.get) == resolved
    assert ".." not in resolved


def test_forty_links_are_followed_and_no_more() -> None:
    links = {f"/{number}": str(number + 1) for number in range(100)}
    assert follow_links(f"/{100 - MAX_LINKS}", links.get) == "/100"
    with pytest.raises(OSError) as caught:
        follow_links(f"/{99 - MAX_LINKS}", links.get)
    assert caught.value.errno == errno.ELOOP


def test_paths_and_targets_are_bounded() -> None:
    for path, links in (("/a" * MAX_PATH, {}), ("/a", {"/a": "b/" * MAX_PATH})):
        with pytest.raises(OSError) as caught:
            follow_links(path, partial(dict.get, links))
        assert caught.value.errno == errno.ENAMETOOLONG


@pytest.mark.anyio
async def test_memory_shows_what_its_owner_changes() -> None:
    tree: dict[str, Node] = {"a": "old"}
    io = Memory(tree)
    tree["a"] = "new"
    tree["b"] = b"\xff"
    assert await io.read("/a") == b"new"
    assert await io.read("/b") == b"\xff"
    assert await Memory({"a": "caf\udce9"}).read("/a") == b"caf\xe9"


def test_memory_has_the_environment_it_was_given() -> None:
    assert Memory({}).get_env("HOME") is None
    assert Memory({}, {"HOME": "/home"}).get_env("HOME") == "/home"


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/", "/etc/passwd", "/no/such/file"])
async def test_sealed_refuses_every_look_alike(path: str) -> None:
    io = Sealed()
    looks = (io.read, io.read_dir, io.file_type, io.read_link, io.path_exists, io.is_executable)
    for look in looks:
        with pytest.raises(PermissionError, match="no access to files"):
            await look(path)
    with pytest.raises(PermissionError, match="no access to files"):
        async with io.open(path):
            pass
    assert io.get_env("HOME") is None
