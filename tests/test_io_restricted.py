"""Restricted: what is granted is as it was, everything else is as if it was not there."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_io_contract import write_tree
from test_io_links import PATHS, TARGETS, sights, trees

from aionix.io import EvalIO, FileType
from io_backends import LocalDisk, Memory, Restricted, Symlink, Tracing, contract
from io_backends.memory import Node

pytestmark = pytest.mark.anyio

REGULAR, DIRECTORY, SYMLINK = FileType.REGULAR, FileType.DIRECTORY, FileType.SYMLINK
TREE: dict[str, Node] = {
    "srv": {
        "site": {"a.nix": "1", "sub": {"b": "2"}, "key": "secret", "out": Symlink("/etc/passwd")},
        "lib": {"l": "3"},
        "site2": {"x": "no"},
    },
    "etc": {"passwd": "root"},
    "now": Symlink("srv/site"),
}


@pytest.mark.parametrize("check", contract.checks(), ids=str)
async def test_what_is_granted_keeps_the_contract(check: contract.Check, tmp_path: Path) -> None:
    await check(lambda tree: Restricted(Memory(tree), deny=["/hidden"]))
    write_tree(tmp_path, check.tree)
    await check(lambda tree: Restricted(LocalDisk(tmp_path)))


async def test_a_directory_that_leads_there_has_only_what_leads_there() -> None:
    io = Restricted(Memory(TREE), ["/srv/site", "/srv/lib/", "/srv/none"], ["/srv/site/key"])
    assert await io.read_dir("/") == {"srv": DIRECTORY}
    assert await io.read_dir("/srv") == {"site": DIRECTORY, "lib": DIRECTORY}
    assert await io.read_dir("/srv/site") == {"a.nix": REGULAR, "sub": DIRECTORY, "out": SYMLINK}
    assert await io.file_type("/srv") is DIRECTORY
    assert await io.read("/srv/lib/l") == b"3"
    with pytest.raises(IsADirectoryError):
        await io.read("/srv")
    async with io.open_entry("/srv") as entry:
        assert entry == (DIRECTORY, False, None)


async def test_what_is_not_shown_is_missing_in_the_same_words() -> None:
    io = Restricted(Memory(TREE), ["/srv/site"], ["/srv/site/key"])
    for path in ("/etc/passwd", "/etc/none", "/srv/site2/x", "/srv/site/key", "/srv/site/out", "/else"):
        for look in (io.read, io.read_dir):
            with pytest.raises(FileNotFoundError) as caught:
                await look(path)
            assert caught.value.filename == path
            assert caught.value.strerror == "not among the files that this evaluation may see"
        assert not await io.path_exists(path)
    assert await io.resolve("/etc/passwd") == "/etc/passwd"


async def test_a_link_on_the_way_to_what_is_allowed_is_followed() -> None:
    io = Restricted(Memory(TREE), ["/now"], ["/now/sub"])
    assert await io.read("/now/a.nix") == await io.read("/srv/site/a.nix") == b"1"
    assert await io.resolve("/now") == "/srv/site"
    assert await io.read_dir("/") == {"now": SYMLINK, "srv": DIRECTORY}
    for path in ("/now/sub/b", "/srv/site/sub/b", "/srv/lib/l"):
        with pytest.raises(FileNotFoundError):
            await io.read(path)


async def test_files_without_links_cost_one_more_question() -> None:
    tracing = Tracing(Memory(TREE))
    io = Restricted(tracing, ["/srv"])
    await io.read("/srv/lib/l")
    tracing.calls.clear()
    await io.read("/srv/site/sub/b")
    assert set(tracing.calls) == {("resolve", "/srv/site/sub/b"), ("read", "/srv/site/sub/b")}


class Stored(Memory):
    async def import_path(self, path: str) -> str | None:
        return "/nix/store/x"

    def store_dir(self) -> str | None:
        return "/gnu/store"


async def test_variables_and_the_store_are_shown_if_that_was_said() -> None:
    inner = Stored(TREE, env={"HOME": "/h", "TOKEN": "secret"})
    io = Restricted(inner, env=["HOME", "NONE"])
    assert (io.get_env("HOME"), io.get_env("NONE"), io.get_env("TOKEN")) == ("/h", None, None)
    assert (io.store_dir(), await io.import_path("/srv")) == ("/gnu/store", None)
    assert Restricted(inner, store_dir=False).store_dir() is None


class Broken(Memory):
    async def resolve(self, path: str) -> str:
        raise OSError(errno.EIO, "the disk of secrets", path)


async def test_nothing_is_shown_when_the_rules_cannot_be_known() -> None:
    io = Restricted(Broken(TREE), deny=["/etc/secrets"])
    with pytest.raises(OSError, match="cannot find out which files") as caught:
        await io.read("/srv/lib/l")
    assert caught.value.errno == errno.EIO
    assert "secrets" not in str(caught.value)


@pytest.mark.parametrize("paths", [["srv"], ["/a/../b"], ["/a//b"], ["/./a"], [""]])
def test_rules_are_absolute_paths(paths: list[str]) -> None:
    with pytest.raises(ValueError, match="not an absolute path"):
        Restricted(Memory({}), paths)
    with pytest.raises(TypeError, match="a list of paths"):
        Restricted(Memory({}), "/srv")


async def everything(io: EvalIO, paths: Sequence[str]) -> list[object]:
    return [await sights(io, path) for path in paths]


@settings(max_examples=150, deadline=None)
@given(trees(TARGETS), st.lists(PATHS, max_size=2), st.lists(PATHS, max_size=6))
def test_without_denials_every_answer_is_the_backends(
    tree: dict[str, Node], allow: list[str], paths: list[str]
) -> None:
    assert anyio.run(everything, Restricted(Memory(tree)), paths) == anyio.run(everything, Memory(tree), paths)


@settings(max_examples=300, deadline=None)
@given(trees(TARGETS), trees(TARGETS), TARGETS, st.lists(PATHS, min_size=1, max_size=6))
def test_what_is_denied_changes_no_answer(
    shown: dict[str, Node], hidden: dict[str, Node], target: str, paths: list[str]
) -> None:
    """The same tree twice, in which only what is denied differs."""
    secrets: list[Node] = [hidden, "text", Symlink(target), {}]
    answers = []
    for secret in secrets:
        tree = {**shown, "b": {"a": "x", "b": secret, "c": Symlink("b/c")}, "c": secret}
        answers.append(anyio.run(everything, Denying(Memory(tree)), paths))
    assert answers[1:] == answers[:1] * 3


class Denying(Restricted):
    """Names only: a denied path that is itself a link also denies what it leads to."""

    def __init__(self, io: EvalIO) -> None:
        super().__init__(io, deny=["/b/b", "/c"])

    async def _rules(self):  # type: ignore[no-untyped-def]
        from io_backends.restricted import _Rules

        return _Rules({"/"}, {"/b/b", "/c"})
