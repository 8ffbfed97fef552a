"""What an evaluation put into its store can be read again, and each source is read once."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Mapping

import anyio
import anyio.lowlevel
import pytest

import aionix
from aionix.errors import FileError, NixError, NixPathResolution, NotAvailable
from aionix.evaluation import Evaluation
from aionix.io import EvalIO, FileType
from io_backends import Executable, Memory, Symlink
from io_backends.memory import Node

pytestmark = pytest.mark.anyio

TREE: Mapping[str, Node] = {
    "secret": {
        "src": {
            "a": "hi\n",
            "default.nix": "{ inner = import ./d; text = builtins.readFile ./d/text; place = toString ./.; }",
            "d": {"default.nix": "import ../e.nix", "text": "text"},
            "e.nix": "__curPos.file",
            "run": Executable("#!"),
            "link": Symlink("d"),
            "chain": Symlink("link/text"),
            "out": Symlink("../other"),
            "loop": Symlink("loop"),
        },
        "other": "elsewhere",
    },
}
SRC = '"${/secret/src}"'


class Counting(EvalIO):
    """Memory that counts what is asked of it, and takes its time."""

    def __init__(self, tree: Mapping[str, Node], pause: float = 0) -> None:
        self._memory = Memory(tree)
        self._pause = pause
        self.asked: Counter[str] = Counter()

    async def _note(self, what: str, path: str) -> None:
        self.asked[f"{what} {path}"] += 1
        await anyio.sleep(self._pause)

    async def read(self, path: str) -> bytes:
        await self._note("read", path)
        return await self._memory.read(path)

    async def read_dir(self, path: str) -> dict[str, FileType]:
        await self._note("list", path)
        return await self._memory.read_dir(path)

    async def file_type(self, path: str) -> FileType:
        return await self._memory.file_type(path)

    async def read_link(self, path: str) -> str:
        return await self._memory.read_link(path)

    async def is_executable(self, path: str) -> bool:
        return await self._memory.is_executable(path)


async def value(code: str, io: EvalIO | None = None) -> object:
    evaluation = Evaluation.builder(io or Memory(TREE)).mode("strict").build()
    return (await evaluation.evaluate(f"with builtins; {code}", base_dir="/")).unwrap().to_python()


async def error(code: str, io: EvalIO | None = None) -> NixError:
    evaluation = Evaluation.builder(io or Memory(TREE)).mode("strict").build()
    [found] = (await evaluation.evaluate(f"with builtins; {code}", base_dir="/")).errors
    return found


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (f"readFile ({SRC} + \"/a\")", "hi\n"),
        (f"readFile ({SRC} + \"/chain\")", "text"),
        (f"readFile ({SRC} + \"/link/text\")", "text"),
        (f"readFile ({SRC} + \"/link/../a\")", "hi\n"),
        (f"attrNames (readDir ({SRC} + \"/link\"))", ["default.nix", "text"]),
        (f"readFileType ({SRC} + \"/link\")", "symlink"),
        (f"map (n: pathExists ({SRC} + n)) [ \"\" \"/\" \"/a\" \"/a/\" \"/a/b\" \"/no\" \"/link/\" \"/out\" ]",
            [True, True, True, False, False, False, True, True]),
        (f"(import {SRC}).text", "text"),
        (f"(import {SRC}).place == unsafeDiscardStringContext {SRC}", True),
        (f"(import {SRC}).inner == unsafeDiscardStringContext {SRC} + \"/e.nix\"", True),
        (f"import ({SRC} + \"/link\") == unsafeDiscardStringContext {SRC} + \"/e.nix\"", True),
        (f"hashFile \"md5\" ({SRC} + \"/link/text\") == hashString \"md5\" \"text\"", True),
        ("import (toFile \"x.nix\" \"{ a = ./.; }\") ? a", True),
        ("readFile (toFile \"a\" \"b\")", "b"),
        ("readFile \"${/secret/src/a}\"", "hi\n"),
        ("readFileType \"${/secret/src/link}\"", "symlink"),
        ("readFile (path { path = toFile \"a\" \"b\"; name = \"c\"; })", "b"),
        (f"readFile \"${{path {{ path = {SRC} + \"/d\"; name = \"n\"; }}}}/text\"", "text"),
        (f"attrNames (readDir (filterSource (p: t: baseNameOf p != \"a\") {SRC}))", ["chain", "d", "default.nix", "e.nix", "link", "loop", "out", "run"]),
        ("let d = derivation { name = \"d\"; system = \"s\"; builder = \"b\"; }; f = unsafeDiscardOutputDependency d.drvPath; in "
            "[ (substring 0 6 (readFile f)) (pathExists f) (readFileType f) (substring 0 6 (readFile d.drvPath)) ]",
            ["Derive", True, "regular", "Derive"]),
    ],
)  # fmt: skip
async def test_what_was_put_into_the_store_is_there(code: str, expected: object) -> None:
    assert await value(code) == expected


FILTERED = 'filterSource (p: t: ! elem (baseNameOf p) [ "a" "text" "e.nix" ]) /secret/src'


@pytest.mark.parametrize(
    "code",
    [
        f"readFile \"${{{FILTERED}}}/a\"",
        f"readFile \"${{{FILTERED}}}/chain\"",
        f"(import ({FILTERED})).inner",
        f"readFile \"${{path {{ path = {FILTERED}; name = \"again\"; }}}}/d/text\"",
        f"readFile \"${{path {{ path = \"${{{FILTERED}}}/d\"; }}}}/text\"",
        f"readFile ({SRC} + \"/missing\")",
        f"readFile ({SRC} + \"/out\")",
        f"readDir ({SRC} + \"/a\")",
        f"import ({SRC} + \"/d/missing.nix\")",
        f"readFileType ({SRC} + \"/missing\")",
        f"readFile ({SRC} + \"/loop\")",
        "readFile ((toFile \"a\" \"b\") + \"/c\")",
        "readDir (toFile \"a\" \"b\")",
    ],
)  # fmt: skip
async def test_what_is_not_there_is_told_of_the_store_path(code: str) -> None:
    found = await error(code)
    assert isinstance(found, FileError)
    assert "/nix/store/" in found.message
    assert "secret" not in found.message
    assert found.path.startswith("/nix/store/")


async def test_what_would_have_to_be_built_says_how_it_could_be_there() -> None:
    found = await error('import (derivation { name = "d"; system = "s"; builder = "b"; })')
    assert isinstance(found, NotAvailable)
    assert found.hint is not None
    assert "-d' is read while the expression is evaluated (import from derivation)" in found.hint


async def test_what_was_built_already_is_read() -> None:
    code = 'derivation { name = "x"; system = "s"; builder = "b"; }'
    out = str(await value(f"({code}).outPath"))
    io = Memory({"nix": {"store": {out.rpartition("/")[2]: {"f": "made"}}}})
    assert await value(f'readFile "${{{code}}}/f"', io) == "made"
    found = await error(f'readFile "${{{code}}}/g"', io)
    assert "cannot build" in found.message


async def test_the_store_of_the_files_is_used_where_the_evaluation_has_nothing() -> None:
    io = Memory({"nix": {"store": {"ay9ng9qxpgvhwwsbbh1mcvdqn2kxvnj1-x": "there"}}})
    assert await value('readFile "/nix/store/ay9ng9qxpgvhwwsbbh1mcvdqn2kxvnj1-x"', io) == "there"
    assert isinstance(await error('readFile "/nix/store/ay9ng9qxpgvhwwsbbh1mcvdqn2kxvnj1-y"', io), FileError)


async def test_a_source_is_read_once_however_often_it_is_used() -> None:
    io = Counting(TREE)
    code = '[ "${/secret/src}" (path { path = /secret/src; }) (path { path = /secret/src; name = "n"; }) "${/secret/src}" ]'
    await value(f"map (x: {code}) (genList (i: i) 20)", io)
    assert io.asked["list /secret/src"] == 1
    assert io.asked["read /secret/src/a"] == 1


async def test_a_source_is_read_once_when_fifty_evaluations_ask_at_once() -> None:
    io = Counting(TREE, 0.001)
    evaluation = Evaluation.builder(io).build()
    found = []

    async def one(code: str) -> None:
        found.append((await evaluation.evaluate(code, base_dir="/")).unwrap().to_python())

    async with anyio.create_task_group() as group:
        for index in range(50):
            group.start_soon(one, SRC if index % 2 else "builtins.path { path = /secret/src; }")
    assert len(found) == 50
    assert len(set(found)) == 1
    assert {io.asked[f"read /secret/src/{name}"] for name in ("a", "d/text", "run")} == {1}


async def test_who_copies_may_be_cancelled_and_the_others_go_on() -> None:
    io = Counting(TREE, 0.002)
    evaluation = Evaluation.builder(io).build()
    found = []

    async def other() -> None:
        found.append((await evaluation.evaluate(SRC, base_dir="/")).unwrap().to_python())

    async with anyio.create_task_group() as group:
        with anyio.move_on_after(0.003) as first:
            group.start_soon(other)
            await anyio.lowlevel.checkpoint()
            await evaluation.evaluate(SRC, base_dir="/")
    with anyio.CancelScope() as scope:
        scope.cancel()
        await evaluation.evaluate(SRC, base_dir="/")
    assert first.cancelled_caught
    assert found == [await value(SRC)]
    result = await evaluation.evaluate(f'builtins.readFile ({SRC} + "/a")', base_dir="/")
    assert result.unwrap().to_python() == "hi\n"


async def test_a_copy_that_was_cut_short_leaves_nothing_behind() -> None:
    evaluation = Evaluation.builder(Counting(TREE, 0.002)).build()
    for seconds in (0.001, 0.004, 0.008):
        with anyio.move_on_after(seconds):
            await evaluation.evaluate(
                f"[ {SRC} (builtins.filterSource (p: t: true) /secret/src) ]", base_dir="/"
            )
    assert evaluation.store.sources == {} or set(evaluation.store.sources) == {await value(SRC)}
    assert (await evaluation.evaluate(SRC, base_dir="/")).unwrap().to_python() == await value(SRC)


class Failing(Memory):
    """Memory whose `/secret/src/a` cannot be read at first."""

    broken = True

    async def read(self, path: str) -> bytes:
        if path.endswith("/a") and self.broken:
            raise OSError(errno.EIO, "Input/output error", path)
        return await super().read(path)


async def test_what_could_not_be_read_is_tried_again() -> None:
    io = Failing(TREE)
    evaluation = Evaluation.builder(io).build()
    [found] = (await evaluation.evaluate(SRC, base_dir="/")).errors
    assert isinstance(found, FileError)
    assert "/secret/src/a" in found.message
    io.broken = False
    assert (await evaluation.evaluate(SRC, base_dir="/")).unwrap().to_python() == await value(SRC)


@pytest.mark.anyio
async def test_the_files_that_nix_brings_along_need_no_backend() -> None:
    found = await aionix.evaluate("builtins.isFunction (import <nix/fetchurl.nix>)")
    assert found.to_python() is True
    with pytest.raises(NixPathResolution):
        await aionix.evaluate("<nix/else.nix>")
