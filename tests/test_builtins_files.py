"""The builtins that look at files and at the environment: what they answer, and how they complain."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path as DiskPath

import pytest

import aionix.builtins  # noqa: F401  # its files register what they define
from aionix.builtins.environment import constants
from aionix.builtins.registry import REGISTRY
from aionix.errors import (
    ContextError,
    FileError,
    MissingAttribute,
    NixError,
    NixPathResolution,
    NotAnAbsolutePath,
    NotCoercible,
    TypeMismatch,
)
from aionix.io import EvalIO, FileType
from aionix.source import SourceMap
from aionix.store.virtual import VirtualStore
from aionix.values.attrs import AttrSet
from aionix.values.functions import call
from aionix.values.paths import Path
from aionix.values.strings import context_of, with_context
from aionix.values.thunk import Value, force
from aionix.vm.host import Host
from aionix.vm.imports import Imports
from aionix.vm.machine import Machine
from aionix.vm.run import Run
from aionix.vm.search_path import parse_search_path
from io_backends import Executable, LocalDisk, Memory, Sealed, Symlink
from io_backends.memory import Node

pytestmark = pytest.mark.anyio

TREE: Mapping[str, Node] = {
    "f": "hi\n",
    "latin": b"caf\xe9",
    "nul": b"a\0b",
    "d": {"x": "x", "deep": {}},
    "run": Executable(""),
    "ok": Symlink("f"),
    "dl": Symlink("d"),
    "broken": Symlink("/nonex"),
    "l1": Symlink("l2"),
    "l2": Symlink("l1"),
    "tonul": Symlink("nul"),
}


def make_host(io: EvalIO, *, pure: bool = False) -> Host:
    return Host(
        io=io,
        sources=SourceMap(),
        store=VirtualStore(),
        imports=Imports(lambda path, scope: None),
        trace=print,
        search_path=parse_search_path(["nixpkgs=/np", "d"], "/"),
        pure=pure,
        current_system="s",
    )


async def nix(name: str, *arguments: Value, io: EvalIO | None = None, pure: bool = False) -> Value:
    """What `builtins.<name> arguments...` is."""
    host = make_host(io or Memory(TREE, {"LANG": "C"}), pure=pure)
    builtin = REGISTRY[name].bind(host)

    def apply() -> Value:
        value: Value = builtin
        for argument in arguments:
            value = call(value, argument)
        return force(value)

    machine = Machine(1000)
    return await Run(machine, host).result(apply)


async def message(
    name: str, *arguments: Value, io: EvalIO | None = None, kind: type[NixError] = FileError
) -> str:
    with pytest.raises(kind) as caught:
        await nix(name, *arguments, io=io)
    return caught.value.message


async def test_read_file_gives_the_bytes_of_a_path_or_a_string() -> None:
    assert await nix("readFile", Path("/f")) == "hi\n"
    assert await nix("readFile", "/d/../f") == "hi\n"
    assert await nix("readFile", "/ok") == "hi\n"
    assert await nix("readFile", "/dl/x") == "x"
    assert await nix("readFile", AttrSet({"outPath": "/f"})) == "hi\n"
    assert await nix("readFile", "/latin") == "caf\udce9"


async def test_a_file_that_this_evaluation_did_not_make_has_no_context() -> None:
    store_path = "/nix/store/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-f"
    io = Memory({"nix": {"store": {store_path.rpartition("/")[2]: "see " + store_path}}})
    contents = await nix("readFile", with_context(store_path, frozenset([store_path])), io=io)
    assert contents == "see " + store_path
    assert type(contents) is str


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/missing", "opening file '/missing': No such file or directory"),
        ("/f/x", "opening file '/f/x': Not a directory"),
        ("/d", "reading from file '/d': Is a directory"),
        ("/dl", "reading from file '/d': Is a directory"),
        ("/broken", "opening file '/nonex': No such file or directory"),
        ("/dl/missing", "opening file '/d/missing': No such file or directory"),
        ("/l1", "infinite symlink recursion in path '/l1'"),
        ("/l1/x", "infinite symlink recursion in path '/l1/x'"),
        ("/nul", "the contents of the file '/nul' cannot be represented as a Nix string"),
        ("/tonul", "the contents of the file '/nul' cannot be represented as a Nix string"),
    ],
)
async def test_read_file_names_the_file_that_links_lead_to(path: str, expected: str) -> None:
    assert await message("readFile", path) == expected


async def test_what_is_no_absolute_path_is_refused_before_any_look() -> None:
    for name in ("readFile", "readDir", "readFileType", "pathExists"):
        relative = await message(name, "rel", kind=NotAnAbsolutePath, io=Sealed())
        assert relative == "string 'rel' doesn't represent an absolute path"
        number = await message(name, 1, kind=NotCoercible, io=Sealed())
        assert number == "cannot coerce an integer to a string: 1"


async def test_read_dir_tells_kinds_and_does_not_follow() -> None:
    assert await nix("readDir", "/") == AttrSet(
        f="regular", latin="regular", nul="regular", d="directory", run="regular", ok="symlink",
        dl="symlink", broken="symlink", l1="symlink", l2="symlink", tonul="symlink",
    )  # fmt: skip
    assert await nix("readDir", "/dl/") == AttrSet(x="regular", deep="directory")
    assert await nix("readDir", Path("/d/deep")) == AttrSet()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/missing", "reading directory /missing: No such file or directory"),
        ("/f", "reading directory /f: Not a directory"),
        ("/ok", "reading directory /f: Not a directory"),
        ("/broken", "reading directory /nonex: No such file or directory"),
        ("/l1", "infinite symlink recursion in path '/l1'"),
    ],
)
async def test_read_dir_complains_as_nix_does(path: str, expected: str) -> None:
    assert await message("readDir", path) == expected


async def test_read_file_type_looks_at_the_path_itself() -> None:
    kinds = {"/f": "regular", "/d": "directory", "/": "directory", "/ok": "symlink", "/l1": "symlink"}
    for path, kind in kinds.items():
        assert await nix("readFileType", path) == kind


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/missing", "path '/missing' does not exist"),
        ("/f/x", "path '/f/x' does not exist"),
        ("/dl/x", "path '/dl' is a symlink"),
        ("/dl/deep/y", "path '/dl' is a symlink"),
        ("/broken/x", "path '/broken' is a symlink"),
        ("/l1/x", "path '/l1' is a symlink"),
    ],
)
async def test_read_file_type_takes_no_link_on_the_way(path: str, expected: str) -> None:
    assert await message("readFileType", path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", True), ("/f", True), ("/d", True), ("/missing", False), ("/f/x", False), ("/missing/..", True),
        ("/broken", True), ("/l1", True), ("/dl/x", True), ("/broken/x", False), ("/ok/x", False),
        ("/d/", True), ("/d/.", True), ("/dl/", True), ("/f/", False), ("/f/.", False), ("/ok/", False),
        ("/f//", False), ("/f/./", False), ("/broken/", False), ("/missing/", False), ("/f/..", True),
    ],
)  # fmt: skip
async def test_path_exists_asks_for_a_directory_where_a_slash_ends_it(path: str, expected: bool) -> None:
    assert await nix("pathExists", path) is expected


async def test_path_exists_of_a_path_value_asks_for_anything() -> None:
    assert await nix("pathExists", Path("/f")) is True
    assert await nix("pathExists", Path("/nope")) is False


async def test_path_exists_fails_in_a_circle_of_links() -> None:
    assert await message("pathExists", "/l1/x") == "infinite symlink recursion in path '/l1/x'"
    assert await message("pathExists", "/l1/") == "infinite symlink recursion in path '/l1'"


class Locked(Memory):
    """Memory in which `/d/deep` may not be looked into."""

    async def file_type(self, path: str) -> FileType:
        if path.startswith("/d/deep/"):
            raise PermissionError(13, "Permission denied")
        return await super().file_type(path)

    async def read(self, path: str) -> bytes:
        if path == "/f":
            raise PermissionError  # as brief as Python allows
        await self.file_type(path)
        return await super().read(path)

    resolve = EvalIO.resolve


async def test_a_look_that_failed_is_not_an_absence() -> None:
    io = Locked(TREE)
    refused = "getting status of '/d/deep/x': Permission denied"
    assert await message("pathExists", "/d/deep/x", io=io) == refused
    assert await message("pathExists", "/d/deep/x/y", io=io) == refused
    assert await message("readFile", "/d/deep/x", io=io) == refused
    assert await message("readFile", "/f", io=io) == "opening file '/f': Permission denied"


async def test_nothing_can_be_told_of_a_sealed_world() -> None:
    for name in ("readFile", "readDir", "readFileType", "pathExists"):
        there = await message(name, "/etc/passwd", io=Sealed())
        assert there == await message(name, "/etc/no-such-file-at-all", io=Sealed())
        assert there == "getting status of '/etc': this evaluation has no access to files"


async def test_the_disk_gives_the_same_words(tmp_path: DiskPath) -> None:
    (tmp_path / "d").mkdir()
    io = LocalDisk(tmp_path)
    assert await message("readFile", "/d", io=io) == "reading from file '/d': Is a directory"
    assert await message("readFile", "/d/x", io=io) == "opening file '/d/x': No such file or directory"
    assert await message("readDir", "/x", io=io) == "reading directory /x: No such file or directory"
    too_long = "/" + "x" * 300
    expected = f"getting status of '{too_long}': File name too long"
    assert await message("pathExists", too_long, io=io) == expected


async def test_find_file_takes_sets_and_gives_a_resolved_path() -> None:
    entries = (AttrSet(prefix="p", path="/missing"), AttrSet(path="/"), AttrSet(prefix="p", path=Path("/dl")))
    for name, expected in {"p/x": "/d/x", "ok": "/f", "p": "/d"}.items():
        found = await nix("findFile", entries, name)
        assert isinstance(found, Path)
        assert found.text == expected


async def test_find_file_knows_the_relative_paths_of_the_search_path_and_no_others() -> None:
    found = await nix("findFile", (AttrSet(path="d"),), "x")
    assert isinstance(found, Path)
    assert found.text == "/d/x"
    for path in ("./d", "", "https://example.org"):
        with pytest.raises(NixPathResolution):
            await nix("findFile", (AttrSet(path=path),), "x")


async def test_find_file_complains_as_nix_does() -> None:
    assert await message("findFile", (), "zzz", kind=NixPathResolution) == (
        "file 'zzz' was not found in the Nix search path (add it using $NIX_PATH or -I)"
    )
    assert await message("findFile", (1,), "a", kind=TypeMismatch) == "expected a set but found an integer: 1"
    assert await message("findFile", (AttrSet(),), "a", kind=MissingAttribute) == "attribute 'path' missing"
    assert await message("findFile", (), 1, kind=TypeMismatch) == "expected a string but found an integer: 1"
    assert await message("findFile", 2, 1, kind=TypeMismatch) == "expected a list but found an integer: 2"
    entries = (AttrSet(path="/l1"),)
    assert await message("findFile", entries, "x") == "infinite symlink recursion in path '/l1/x'"
    with pytest.raises(NixPathResolution, match="cannot look up '<a>' in pure evaluation mode"):
        await nix("findFile", (), "a", pure=True)


async def test_to_path_is_a_clean_string_that_keeps_its_context() -> None:
    assert await nix("toPath", "/a/../b/") == "/b"
    assert await nix("toPath", Path("/a")) == "/a"
    context = frozenset(["/nix/store/x"])
    result = await nix("toPath", AttrSet({"outPath": with_context("/nix/store/x/.", context)}))
    assert result == "/nix/store/x"
    assert isinstance(result, str)
    assert context_of(result) == context
    expected = "string 'a' doesn't represent an absolute path"
    assert await message("toPath", "a", kind=NotAnAbsolutePath) == expected


async def test_get_env_sees_what_its_backend_offers_unless_pure() -> None:
    assert await nix("getEnv", "LANG") == "C"
    assert await nix("getEnv", "NOPE") == ""
    assert await nix("getEnv", "LANG", pure=True) == ""
    with pytest.raises(ContextError):
        await nix("getEnv", with_context("LANG", frozenset(["/nix/store/x"])))


def test_constants_tell_of_the_host_unless_pure() -> None:
    values = constants(make_host(Sealed()))
    now = values.pop("currentTime")
    assert isinstance(now, int)
    assert abs(now - time.time()) < 60
    path = (AttrSet(prefix="nixpkgs", path="/np"), AttrSet(prefix="", path="d"))
    assert values == {"currentSystem": "s", "storeDir": "/nix/store", "nixPath": path}
    pure = constants(make_host(Sealed(), pure=True))
    assert pure == {"storeDir": "/nix/store", "nixPath": path}
