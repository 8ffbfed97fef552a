"""Overlay and Mount: one tree out of several, as if somebody had copied them together."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_io_contract import write_tree
from test_io_links import PATHS, TARGETS, sights, trees

from aionix import evaluate
from aionix.io import EvalIO, FileType
from io_backends import LocalDisk, Memory, Mount, Overlay, Restricted, Symlink, Tracing, contract
from io_backends.memory import Node

pytestmark = pytest.mark.anyio

REGULAR, DIRECTORY = FileType.REGULAR, FileType.DIRECTORY
Tree = Mapping[str, Node]


def halves(tree: Tree) -> tuple[dict[str, Node], dict[str, Node]]:
    """A tree taken apart: every second name in each, directories in both."""
    upper: dict[str, Node] = {}
    lower: dict[str, Node] = {}
    for index, (name, node) in enumerate(tree.items()):
        if isinstance(node, Mapping):
            upper[name], lower[name] = halves(node)
        else:
            (upper, lower)[index % 2][name] = node
    return upper, lower


def mounted(tree: Tree, io: Callable[[Tree], EvalIO]) -> Mount:
    """A tree whose directories are mounts."""
    mounts = {f"/{name}": io(node) for name, node in tree.items() if isinstance(node, Mapping)}
    rest = {name: node for name, node in tree.items() if not isinstance(node, Mapping)}
    return Mount({"/": io(rest), **mounts})


MADE: list[Callable[[Tree, Callable[[Tree], EvalIO]], EvalIO]] = [
    lambda tree, io: Overlay(io(tree)),
    lambda tree, io: Overlay(*map(io, halves(tree))),
    lambda tree, io: Overlay(io({}), *map(io, halves(tree)), io({})),
    lambda tree, io: Mount({"/": io(tree)}),
    mounted,
]


@pytest.mark.parametrize("check", contract.checks(), ids=str)
async def test_both_keep_the_contract_however_the_tree_is_taken_apart(check: contract.Check, tmp_path: Path) -> None:
    count = 0

    def disk(tree: Tree) -> LocalDisk:
        nonlocal count
        count += 1
        place = tmp_path / str(count)
        place.mkdir()
        write_tree(place, tree)
        return LocalDisk(place)

    for io in (Memory, disk):
        for make in MADE:
            await check(lambda tree, make=make, io=io: anyio.to_thread.run_sync(make, tree, io))  # type: ignore[misc]


def merged(upper: Node, lower: Node) -> Node:
    if not isinstance(upper, Mapping) or not isinstance(lower, Mapping):
        return upper
    names = [*lower, *[name for name in upper if name not in lower]]
    return {
        name: merged(upper[name], lower[name]) if name in upper and name in lower else upper.get(name, lower.get(name, ""))
        for name in names
    }


def seen(io: EvalIO, paths: list[str]) -> list[object]:
    """All looks at all paths; that a file is no directory is another word for missing."""

    async def look() -> list[object]:
        answers = [await sights(io, path) for path in paths]
        return [[errno.ENOENT if one == errno.ENOTDIR else one for one in each] for each in answers]

    return anyio.run(look)


LAYERS = st.lists(trees(TARGETS), min_size=1, max_size=3)


@settings(max_examples=200, deadline=None)
@given(LAYERS, st.lists(PATHS, min_size=1, max_size=6))
def test_an_overlay_is_the_trees_merged(layers: list[dict[str, Node]], paths: list[str]) -> None:
    whole: Node = layers[-1]
    for layer in reversed(layers[:-1]):
        whole = merged(layer, whole)
    assert isinstance(whole, Mapping)
    assert seen(Overlay(*map(Memory, layers)), paths) == seen(Memory(whole), paths)


@settings(max_examples=100, deadline=None)
@given(trees(TARGETS), st.lists(PATHS, min_size=1, max_size=6))
def test_one_layer_is_itself_and_so_is_what_is_mounted_at_the_root(tree: dict[str, Node], paths: list[str]) -> None:
    expected = [anyio.run(sights, Memory(tree), path) for path in paths]
    for io in (Overlay(Memory(tree)), Mount({"/": Memory(tree)})):
        found = [anyio.run(sights, io, path) for path in paths]
        if found != expected:  # but for the two words for missing
            assert seen(io, paths) == seen(Memory(tree), paths)


POINTS = st.sampled_from(["/a", "/b", "/a/b", "/a/b/c", "/c/a"])


def put(tree: Node | None, parts: list[str], node: Node) -> Node:
    """`tree` with `node` at a path, whose parents are made directories."""
    if not parts:
        return node
    entries = dict(tree) if isinstance(tree, Mapping) else {}
    entries[parts[0]] = put(entries.get(parts[0]), parts[1:], node)
    return entries


@settings(max_examples=200, deadline=None)
@given(trees(TARGETS), st.dictionaries(POINTS, trees(TARGETS), max_size=3), st.lists(PATHS, min_size=1, max_size=6))
def test_a_mount_is_the_trees_put_into_each_other(
    root: dict[str, Node], mounts: dict[str, dict[str, Node]], paths: list[str]
) -> None:
    whole: Node = root
    for point in sorted(mounts, key=len):
        whole = put(whole, point.split("/")[1:], mounts[point])
    assert isinstance(whole, Mapping)
    io = Mount({"/": Memory(root), **{point: Memory(tree) for point, tree in mounts.items()}})
    assert seen(io, paths) == seen(Memory(whole), paths)


async def test_upper_layers_win_and_directories_are_merged() -> None:
    upper: Tree = {"d": {"x": "upper", "file": "f"}, "new": "n", "hides": "file"}
    lower: Tree = {"d": {"x": "lower", "y": "y", "file": {"z": "z"}}, "hides": {"below": ""}}
    io = Overlay(Memory(upper), Memory(lower))
    assert await io.read("/d/x") == b"upper"
    assert await io.read("/d/y") == b"y"
    assert await io.read_dir("/d") == {"x": REGULAR, "y": REGULAR, "file": REGULAR}
    assert set(await io.read_dir("/")) == {"d", "new", "hides"}
    for path in ("/hides/below", "/d/file/z"):
        with pytest.raises(OSError) as caught:
            await io.read(path)
        assert caught.value.filename == path


async def test_links_cross_layers_and_mounts() -> None:
    upper: Tree = {"over": Symlink("d/low"), "dir": Symlink("/d")}
    lower: Tree = {"d": {"low": "found", "up": Symlink("../new")}, "new": "lower"}
    io = Overlay(Memory({**upper, "new": "upper"}), Memory(lower))
    assert await io.read("/over") == await io.read("/dir/low") == b"found"
    assert await io.read("/dir/up") == b"upper"
    mount = Mount({"/": Memory({"top": "t", "in": Symlink("m/n/x")}), "/m/n": Memory({"x": Symlink("../../top"), "y": Symlink("/top")})})
    assert await mount.read("/in") == await mount.read("/m/n/y") == b"t"
    assert await mount.resolve("/in") == "/top"


async def test_mount_points_are_listed_by_their_parents() -> None:
    io = Mount({"/a/b": Memory({"x": "1"}), "/a/c": Memory({}), "/": Memory({"a": {"own": "", "b": "hidden"}, "r": ""})})
    assert await io.read_dir("/") == {"a": DIRECTORY, "r": REGULAR}
    assert await io.read_dir("/a") == {"own": REGULAR, "b": DIRECTORY, "c": DIRECTORY}
    assert await io.read_dir("/a/b") == {"x": REGULAR}
    alone = Mount({"/x/y/": Memory({"f": "1"})})
    assert await alone.read_dir("/") == {"x": DIRECTORY}
    assert await alone.file_type("/x/y") is DIRECTORY
    with pytest.raises(IsADirectoryError):
        await alone.read("/x")
    with pytest.raises(FileNotFoundError) as caught:
        await alone.read("/x/y/no")
    assert caught.value.filename == "/x/y/no"


async def test_one_more_question_finds_what_only_the_lowest_layer_has() -> None:
    upper, lower = Tracing(Memory({"d": {}})), Tracing(Memory({"d": {"e": {"f": {"g": "deep"}}}}))
    assert await Overlay(upper, lower).read("/d/e/f/g") == b"deep"
    assert list(upper.calls) == [("file_type", "/d"), ("file_type", "/d/e")]
    assert list(lower.calls) == [("file_type", "/d"), ("resolve", "/d/e/f/g"), ("read", "/d/e/f/g")]
    disk = Tracing(Memory({"e": {"f": "x"}}))
    assert await Mount({"/": upper, "/m": disk}).read("/m/e/f") == b"x"
    assert list(disk.calls) == [("resolve", "/e/f"), ("read", "/e/f")]


class Stored(Memory):
    async def import_path(self, path: str) -> str | None:
        return f"/nix/store{path}"

    def store_dir(self) -> str | None:
        return "/gnu/store"


async def test_settings_and_the_store_come_from_who_has_them() -> None:
    stored = Stored({"a": {"x": ""}, "b": {}}, env={"A": "stored", "B": "b"})
    plain = Memory({"b": {"y": ""}}, env={"A": "plain"})
    overlay, mount = Overlay(plain, stored), Mount({"/m": stored, "/": plain})
    assert [overlay.get_env(name) for name in "ABC"] == ["plain", "b", None]
    assert [mount.get_env(name) for name in "ABC"] == ["stored", "b", None]
    assert overlay.store_dir() == mount.store_dir() == "/gnu/store"
    assert await overlay.import_path("/a") == "/nix/store/a"
    assert await overlay.import_path("/b") is None
    assert await mount.import_path("/m/a") == "/nix/store/a"


class Broken(Memory):
    async def file_type(self, path: str) -> FileType:
        raise OSError(errno.EIO, "broken", path)

    resolve = EvalIO.resolve


async def test_a_layer_that_fails_is_no_layer_without_the_file() -> None:
    for io in (Overlay(Broken({}), Memory({"a": "x"})), Overlay(Memory({}), Broken({"a": "x"}))):
        with pytest.raises(OSError, match="broken") as caught:
            await io.read("/a")
        assert caught.value.filename == "/a"


def test_what_makes_no_tree_is_refused() -> None:
    with pytest.raises(TypeError, match="at least one layer"):
        Overlay()
    with pytest.raises(TypeError, match="at least one layer"):
        Mount({})
    with pytest.raises(ValueError, match="not an absolute path"):
        Mount({"a/b": Memory({})})


async def test_nix_code_imports_across_all_of_it() -> None:
    io = Restricted(
        Mount({"/": Overlay(Memory({"port.nix": "81"}), Memory({"site.nix": "import ./port.nix + import /lib/one.nix", "port.nix": "80"})), "/lib": Memory({"one.nix": "1"})}),
        ["/site.nix", "/port.nix", "/lib"],
    )  # fmt: skip
    assert (await evaluate("import /site.nix", io=io)).to_python() == 82
