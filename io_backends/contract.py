"""What every backend must do, as checks to put one through.

Each check comes with a small tree of files, written as `Memory` takes them. You give a function that
makes your backend over such a tree; from pytest, with anyio's plugin:

    import pytest
    from io_backends import contract

    def make(tree):
        return MyBackend(upload(tree))

    @pytest.mark.anyio
    @pytest.mark.parametrize("check", contract.checks(without={"links"}), ids=str)
    async def test_my_backend(check):
        await check(make)

or, anywhere, `await contract.check_backend(make, without={"links"})`. `make` may be `async def`. A check
that fails raises AssertionError, or lets through what the backend raised.

`without` names what your files cannot have (`FEATURES`): `links`, `absolute links` (ones that begin
at `/`, the root of the tree), `executables`, `byte names` (which are not UTF-8), `empty directories`, and
`listings` (what `read_dir` gives).
"""

from __future__ import annotations

import errno
import inspect
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeAlias

import anyio

from aionix.io import EvalIO, FileReader, FileType
from io_backends.memory import Executable, Node, Symlink

Tree: TypeAlias = Mapping[str, Node]
Make: TypeAlias = Callable[[Tree], EvalIO | Awaitable[EvalIO]]

FEATURES = frozenset(
    {"links", "absolute links", "executables", "byte names", "empty directories", "listings"}
)


@dataclass(frozen=True, slots=True)
class Check:
    """One claim about backends. `await check(make)` raises unless it holds."""

    name: str
    tree: Tree
    needs: frozenset[str]
    run: Callable[[EvalIO], Awaitable[None]]

    async def __call__(self, make: Make) -> None:
        made = make(self.tree)
        await self.run(await made if inspect.isawaitable(made) else made)

    def __str__(self) -> str:
        return self.name


_CHECKS: list[Check] = []


def checks(*, without: AbstractSet[str] = frozenset()) -> list[Check]:
    """The checks for a backend whose files cannot have the features `without`."""
    if not without <= FEATURES:
        raise ValueError(f"unknown features: {sorted(without - FEATURES)}")
    return [check for check in _CHECKS if not check.needs & without]


async def check_backend(make: Make, *, without: AbstractSet[str] = frozenset()) -> None:
    """Puts a backend through all checks; raises an ExceptionGroup of those that failed."""
    failures = []
    for check in checks(without=without):
        try:
            await check(make)
        except Exception as error:
            error.add_note(f"in the check {check.name}")
            failures.append(error)
    if failures:
        raise ExceptionGroup("the backend breaks its contract", failures)


def _check(
    tree: Tree, *needs: str
) -> Callable[[Callable[[EvalIO], Awaitable[None]]], Callable[[EvalIO], Awaitable[None]]]:
    def add(run: Callable[[EvalIO], Awaitable[None]]) -> Callable[[EvalIO], Awaitable[None]]:
        _CHECKS.append(Check(getattr(run, "__name__", "check"), tree, frozenset(needs), run))
        return run

    return add


async def _refuses(call: Awaitable[object], *kinds: type[OSError], code: int | None = None) -> None:
    try:
        result = await call
    except kinds as error:
        assert code is None or error.errno == code, f"the errno is {error.errno}, not {code}"
        return
    raise AssertionError(f"{' or '.join([kind.__name__ for kind in kinds])} was due, not {result!r}")


_MISSING = (FileNotFoundError, NotADirectoryError)
_BYTES = bytes(range(256)) * 3
_FILES: Tree = {
    "a.txt": "alpha\n",
    "raw.bin": _BYTES,
    "empty": "",
    "sub": {"b.nix": "1 + 1", "deep": {"er": {"c": "\r\n"}}},
    ".hidden": "h",
    "with space": "s",
    "ünïcode": "ü",
}


@_check(_FILES)
async def read_gives_every_byte(io: EvalIO) -> None:
    assert await io.read("/a.txt") == b"alpha\n"
    assert await io.read("/raw.bin") == _BYTES
    assert await io.read("/empty") == b""
    assert await io.read("/sub/deep/er/c") == b"\r\n"
    assert await io.read("/with space") == b"s"
    assert await io.read("/ünïcode") == "ü".encode()


@_check(_FILES)
async def read_of_nothing_is_missing(io: EvalIO) -> None:
    await _refuses(io.read("/no"), FileNotFoundError)
    await _refuses(io.read("/sub/no"), FileNotFoundError)
    await _refuses(io.read("/no/no"), FileNotFoundError)
    await _refuses(io.read("/a.txt/no"), *_MISSING)


@_check(_FILES)
async def read_of_a_directory_is_refused(io: EvalIO) -> None:
    await _refuses(io.read("/sub"), IsADirectoryError)
    await _refuses(io.read("/"), IsADirectoryError)


@_check(_FILES, "listings")
async def read_dir_names_every_entry(io: EvalIO) -> None:
    regular, directory = FileType.REGULAR, FileType.DIRECTORY
    kinds = {name: directory if isinstance(node, Mapping) else regular for name, node in _FILES.items()}
    assert await io.read_dir("/") == kinds
    assert await io.read_dir("/sub") == {"b.nix": regular, "deep": directory}


@_check(_FILES)
async def read_dir_of_anything_else_is_refused(io: EvalIO) -> None:
    await _refuses(io.read_dir("/a.txt"), NotADirectoryError)
    await _refuses(io.read_dir("/no"), FileNotFoundError)
    await _refuses(io.read_dir("/a.txt/no"), *_MISSING)


@_check(_FILES)
async def file_type_tells_files_from_directories(io: EvalIO) -> None:
    assert await io.file_type("/a.txt") is FileType.REGULAR
    assert await io.file_type("/sub") is FileType.DIRECTORY
    assert await io.file_type("/") is FileType.DIRECTORY
    await _refuses(io.file_type("/no"), FileNotFoundError)
    await _refuses(io.file_type("/no/no"), *_MISSING)
    await _refuses(io.file_type("/a.txt/no"), *_MISSING)


@_check(_FILES)
async def path_exists_never_fails_for_what_is_missing(io: EvalIO) -> None:
    assert await io.path_exists("/")
    assert await io.path_exists("/sub/b.nix")
    assert not await io.path_exists("/no")
    assert not await io.path_exists("/no/no")
    assert not await io.path_exists("/a.txt/no")


@_check(_FILES)
async def names_are_not_patterns_and_not_prefixes(io: EvalIO) -> None:
    for path in ("/a", "/a.txt2", "/*", "/su", "/sub/b", "/A.TXT", "/%61.txt"):
        await _refuses(io.read(path), FileNotFoundError)
        assert not await io.path_exists(path)


@_check(_FILES)
async def what_is_no_link_has_no_target(io: EvalIO) -> None:
    await _refuses(io.read_link("/a.txt"), OSError)
    await _refuses(io.read_link("/sub"), OSError)
    assert await io.resolve("/sub/b.nix") == "/sub/b.nix"
    assert await io.resolve("/no/such") == "/no/such"
    assert await io.resolve("/") == "/"


@_check(_FILES)
async def plain_files_and_directories_are_not_executable(io: EvalIO) -> None:
    assert not await io.is_executable("/a.txt")
    assert not await io.is_executable("/sub")


@_check(_FILES)
async def open_reads_in_pieces(io: EvalIO) -> None:
    async with io.open("/raw.bin") as file, io.open("/raw.bin") as other:
        assert file.size == len(_BYTES)
        assert len(await other.read(5)) <= 5
        assert await _rest(file, 100) == _BYTES
    await _refuses(_opened(io, "/no"), FileNotFoundError)
    await _refuses(_opened(io, "/sub"), IsADirectoryError)


@_check({"large": _BYTES * 1000, "empty": "", "sub": {"x": ""}})
async def open_range_begins_and_ends_anywhere(io: EvalIO) -> None:
    data = _BYTES * 1000
    end = len(data)
    for start, size in ((0, 10), (300, 700), (500_000, 200_000), (end - 5, 50), (end + 9, 1), (7, 0)):
        expected = data[start : start + size]
        async with io.open_range("/large", start, size) as file:
            assert file.size == len(expected)
            assert await _rest(file, 100_000) == expected
    async with io.open_range("/empty", 0, 10) as file:
        assert (file.size, await file.read(10)) == (0, b"")
    await _refuses(_ranged(io, "/no"), FileNotFoundError)
    await _refuses(_ranged(io, "/sub"), IsADirectoryError)


async def _ranged(io: EvalIO, path: str) -> bytes:
    async with io.open_range(path, 1, 1) as file:
        return await file.read(1)


async def _rest(file: FileReader, count: int) -> bytes:
    data = b""
    while piece := await file.read(count):
        assert len(piece) <= count
        data += piece
    return data


async def _opened(io: EvalIO, path: str) -> bytes:
    async with io.open(path) as file:
        return await file.read(1)


@_check({"small": "alpha", "large": _BYTES * 1000, "sub": {"x": ""}})
async def open_entry_tells_what_is_there_and_opens_it(io: EvalIO) -> None:
    for path, content in (("/small", b"alpha"), ("/large", _BYTES * 1000), ("/sub/x", b"")):
        for kind in (None, FileType.REGULAR):
            assert await _entered(io, path, kind) == (FileType.REGULAR, False, content)
    assert await _entered(io, "/sub") == await _entered(io, "/") == (FileType.DIRECTORY, False, None)
    await _refuses(_entered(io, "/no"), FileNotFoundError)
    await _refuses(_entered(io, "/no", FileType.REGULAR), FileNotFoundError)
    await _refuses(_entered(io, "/small/no"), *_MISSING)


async def _entered(
    io: EvalIO, path: str, kind: FileType | None = None
) -> tuple[FileType, bool, bytes | None]:
    async with io.open_entry(path, kind) as entry:
        if entry.file is None:
            return entry.kind, entry.executable, None
        data = await _rest(entry.file, 100_000)
        assert entry.file.size == len(data)
        return entry.kind, entry.executable, data


@_check({f"f{number}": str(number) for number in range(60)})
async def many_may_look_at_once(io: EvalIO) -> None:
    async def one(number: int) -> None:
        assert await io.read(f"/f{number}") == str(number).encode()
        assert await io.file_type(f"/f{number}") is FileType.REGULAR

    async with anyio.create_task_group() as group:
        for number in range(60):
            group.start_soon(one, number)


@_check({"a": "a" * 100_000})
async def a_cancelled_look_leaves_it_usable(io: EvalIO) -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await io.read("/a")
    assert len(await io.read("/a")) == 100_000


@_check({"none": {}, "some": {"file": ""}}, "empty directories")
async def an_empty_directory_is_there(io: EvalIO) -> None:
    assert await io.read_dir("/none") == {}
    assert await io.file_type("/none") is FileType.DIRECTORY


@_check({"run": Executable("#!/bin/sh\n"), "not": "x", "dir": {"f": ""}}, "executables")
async def the_execute_bit_is_seen(io: EvalIO) -> None:
    assert await io.is_executable("/run")
    assert not await io.is_executable("/not")
    assert await io.read("/run") == b"#!/bin/sh\n"
    assert await _entered(io, "/run") == (FileType.REGULAR, True, b"#!/bin/sh\n")
    assert await io.file_type("/run") is FileType.REGULAR
    await _refuses(io.is_executable("/no"), FileNotFoundError)


@_check({"caf\udce9": "latin", "d\udcff": {"x": "x"}}, "byte names", "listings")
async def names_need_not_be_utf8(io: EvalIO) -> None:
    assert set(await io.read_dir("/")) == {"caf\udce9", "d\udcff"}
    assert await io.read("/caf\udce9") == b"latin"
    assert await io.read("/d\udcff/x") == b"x"


_LINKS: Tree = {
    "a.txt": "alpha",
    "link": Symlink("a.txt"),
    "chain": Symlink("link"),
    "dirlink": Symlink("sub"),
    "sub": {"c": "gamma", "up": Symlink("../a.txt"), "in": {"x": "x", "dots": Symlink("./.././/c")}},
    "into": Symlink("sub/in"),
    "round": Symlink("into/../c"),
    "broken": Symlink("gone/file"),
    "self": Symlink("self"),
    "ping": Symlink("pong"),
    "pong": Symlink("ping"),
    "through": Symlink("a.txt/x"),
    "escape": Symlink("../../../../../../../../../../etc/passwd"),
    "ten": Symlink("sub/../sub/../sub/../sub/../sub/../sub/../sub/../sub/../sub/../sub/../a.txt"),
}


@_check(_LINKS, "links")
async def read_and_read_dir_follow_links(io: EvalIO) -> None:
    assert await io.read("/link") == await io.read("/chain") == b"alpha"
    assert await io.read("/dirlink/c") == b"gamma"
    assert await io.read("/dirlink/up") == b"alpha"
    assert await io.read("/into/dots") == b"gamma"
    assert await io.read("/ten") == b"alpha"
    assert set(await io.read_dir("/dirlink")) == {"c", "up", "in"}
    assert await _opened(io, "/chain") == b"a"
    await _refuses(io.read("/dirlink"), IsADirectoryError)
    await _refuses(io.read_dir("/link"), NotADirectoryError)


@_check(_LINKS, "links")
async def dots_leave_the_directory_that_a_link_reached(io: EvalIO) -> None:
    assert await io.read("/round") == b"gamma"
    assert await io.resolve("/round") == "/sub/c"


@_check(_LINKS, "links")
async def file_type_and_read_dir_tell_of_links_themselves(io: EvalIO) -> None:
    for name in ("link", "dirlink", "broken", "self", "escape"):
        assert await io.file_type(f"/{name}") is FileType.SYMLINK
        assert (await io.read_dir("/"))[name] is FileType.SYMLINK
    assert await io.file_type("/dirlink/c") is FileType.REGULAR
    assert await io.file_type("/dirlink/up") is FileType.SYMLINK
    assert not await io.is_executable("/link")
    for path in ("/link", "/dirlink", "/broken", "/self", "/dirlink/up"):
        assert await _entered(io, path) == (FileType.SYMLINK, False, None)
    assert await _entered(io, "/dirlink/c") == (FileType.REGULAR, False, b"gamma")


@_check(_LINKS, "links")
async def read_link_gives_the_target_as_written(io: EvalIO) -> None:
    assert await io.read_link("/link") == "a.txt"
    assert await io.read_link("/dirlink/up") == "../a.txt"
    assert await io.read_link("/sub/in/dots") == "./.././/c"
    assert await io.read_link("/self") == "self"


@_check(_LINKS, "links")
async def resolve_replaces_every_link(io: EvalIO) -> None:
    assert await io.resolve("/chain") == "/a.txt"
    assert await io.resolve("/into/x") == "/sub/in/x"
    assert await io.resolve("/dirlink/none/x") == "/sub/none/x"
    assert await io.resolve("/broken") == "/gone/file"
    await _refuses(io.resolve("/ping"), OSError, code=errno.ELOOP)


@_check(_LINKS, "links")
async def a_dangling_link_leads_to_nothing(io: EvalIO) -> None:
    await _refuses(io.read("/broken"), FileNotFoundError)
    await _refuses(io.read_dir("/broken"), FileNotFoundError)
    await _refuses(io.read("/through"), *_MISSING)
    assert not await io.path_exists("/broken")
    assert not await io.path_exists("/through")
    assert await io.path_exists("/chain")


@_check(_LINKS, "links")
async def links_in_a_circle_are_a_loop(io: EvalIO) -> None:
    for path in ("/self", "/ping", "/pong", "/self/x"):
        await _refuses(io.read(path), OSError, code=errno.ELOOP)
        await _refuses(io.read_dir(path), OSError, code=errno.ELOOP)


@_check(_LINKS, "links", "absolute links")
async def no_link_leads_out_of_the_root(io: EvalIO) -> None:
    for path in ("/escape", "/escape/x"):
        await _refuses(io.read(path), FileNotFoundError, PermissionError)


@_check(
    {
        "a": "here",
        "sub": {"top": Symlink("/a"), "root": Symlink("/"), "up": Symlink("..")},
        "out": Symlink("/etc/passwd"),
        "etc": {"hosts": "ours"},
        "hosts": Symlink("/../../etc/hosts"),
    },
    "links",
    "absolute links",
)
async def absolute_targets_begin_at_the_root_of_the_tree(io: EvalIO) -> None:
    assert await io.read("/sub/top") == b"here"
    assert await io.read("/sub/root/a") == b"here"
    assert await io.read("/sub/root/sub/root/sub/up/a") == b"here"
    assert await io.read("/hosts") == b"ours"
    assert await io.resolve("/sub/root") == "/"
    await _refuses(io.read("/out"), FileNotFoundError)
