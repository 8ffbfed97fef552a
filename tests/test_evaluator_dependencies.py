"""What an evaluation depends on, and what is evaluated anew when that changes."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import anyio
import pytest

import aionix
from aionix import Access, Evaluation, EvaluationResult
from aionix.evaluation import Tier
from aionix.io import FileType
from io_backends import LocalDisk, Memory, Symlink

pytestmark = pytest.mark.anyio

Tree = dict[str, object]
READ, LISTED, PROBED, MISSING = Access.READ, Access.LISTED, Access.PROBED, Access.MISSING


class Counting(Memory):
    def __init__(self, files: Tree) -> None:
        super().__init__(files)  # type: ignore[arg-type]
        self.reads: Counter[str] = Counter()

    async def read(self, path: str) -> bytes:
        self.reads[path] += 1
        await anyio.lowlevel.checkpoint()
        return await super().read(path)


def over(files: Tree, tier: Tier = "auto") -> Evaluation:
    return Evaluation.builder(Counting(files)).mode("strict").tier(tier).build()


async def dependencies(files: Tree, code: str) -> dict[str, Access]:
    return (await over(files).evaluate(code)).dependencies


# -- what is in them


@pytest.mark.parametrize(
    ("code", "path", "access"),
    [
        ("import /a.nix", "/a.nix", READ | PROBED),
        ("builtins.readFile /t", "/t", READ),
        ("builtins.readDir /d", "/d", LISTED),
        ("builtins.readFileType /t", "/t", PROBED),
        ("builtins.pathExists /t", "/t", PROBED),
        ("builtins.pathExists /no", "/no", PROBED | MISSING),
        ("builtins.readFile /no", "/no", READ | MISSING),
        ("builtins.readDir /d/no", "/d/no", LISTED | MISSING),
        ("import /no", "/no", PROBED | MISSING),
        ("import /d", "/d/default.nix", READ | MISSING),
        ('"${/d}"', "/d", LISTED | READ),
        ('"${/d}"', "/d/x", READ),
        ('builtins.path { path = /d; name = "d"; }', "/d/x", READ),
        ("builtins.filterSource (p: t: false) /d", "/d", LISTED | READ),
        ('builtins.hashFile "sha256" /t', "/t", READ),
        ("builtins.scopedImport { } /a.nix", "/a.nix", READ | PROBED),
        ("import /link.nix", "/link.nix", PROBED),
        ("import /link.nix", "/a.nix", READ | PROBED),
        ("[ (import /a.nix) (throw (builtins.readFile /t)) ]", "/t", READ),
        ("import /wrong.nix", "/wrong.nix", READ | PROBED),
    ],
)
async def test_every_look_is_noted(code: str, path: str, access: Access) -> None:
    files: Tree = {
        "a.nix": "1", "t": "text", "d": {"x": "x"}, "link.nix": Symlink("a.nix"), "wrong.nix": "{ a = ",
    }  # fmt: skip
    found = await dependencies(files, code)
    assert found[path] & access == access
    assert MISSING in found[path] or MISSING not in access


async def test_what_was_not_needed_is_not_noted() -> None:
    files: Tree = {"a.nix": "{ x = 1; y = import /b.nix; z = builtins.readFile /c; }", "b.nix": "2", "c": ""}
    assert set(await dependencies(files, "(import /a.nix).x")) == {"/a.nix"}


async def test_a_search_path_is_noted_where_it_was_looked_at() -> None:
    io = Memory({"one": {}, "two": {"lib.nix": "1"}})
    evaluation = Evaluation.builder(io).search_path(["/one", "/two"]).build()
    found = (await evaluation.evaluate("import <lib.nix>")).dependencies
    assert MISSING in found["/one/lib.nix"]
    assert READ in found["/two/lib.nix"]


async def test_what_comes_from_the_cache_counts_as_well() -> None:
    files: Tree = {
        "a.nix": "{ t = builtins.readFile /t; b = import /b.nix; }",
        "b.nix": "builtins.readDir /d",
        "t": "text",
        "d": {},
        "other": "",
    }
    evaluation = over(files)
    first = await evaluation.evaluate("builtins.deepSeq (import /a.nix) (builtins.readFile /other)")
    again = await evaluation.evaluate("(import /a.nix).t")
    by_file = await evaluation.evaluate_file("/a.nix")
    assert set(first.dependencies) == {"/a.nix", "/b.nix", "/t", "/d", "/other"}
    assert set(again.dependencies) == set(by_file.dependencies) == {"/a.nix", "/b.nix", "/t", "/d"}


async def test_copies_from_the_cache_count_as_well() -> None:
    files: Tree = {"d": {"x": "x", "y": {"z": ""}}, "a.nix": '"${./d}"'}
    evaluation = over(files)
    await evaluation.evaluate("import /a.nix")
    for code in ("import /a.nix", '"${/d}"', "builtins.path { path = /d; }"):
        found = (await evaluation.evaluate(code)).dependencies
        assert {"/d", "/d/x", "/d/y", "/d/y/z"} <= set(found)


async def test_what_the_functions_of_a_library_read_is_for_who_calls_them() -> None:
    files: Tree = {
        "lib.nix": "{ text = path: builtins.readFile path + builtins.readFile path; load = path: import path; }",
        **{f"{n}.nix": f"let lib = import /lib.nix; in [ (lib.text /{n}.txt) (lib.load /{n}b.nix) ]" for n in range(3)},
        **{f"{n}.txt": f"{n}" for n in range(3)},
        **{f"{n}b.nix": f"{n}" for n in range(3)},
    }
    evaluation = over(files)
    for n in range(3):
        result = await evaluation.evaluate_file(f"/{n}.nix")
        assert result.unwrap().to_python() == [f"{n}{n}", n]
        assert set(result.dependencies) == {"/lib.nix", f"/{n}.nix", f"/{n}.txt", f"/{n}b.nix"}


async def test_who_waits_for_another_depends_on_the_same() -> None:
    evaluation = over({"a.nix": "builtins.readFile /t", "t": "text"})
    results: list[EvaluationResult] = []

    async def one() -> None:
        results.append(await evaluation.evaluate("import /a.nix"))

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(one)
    assert [set(result.dependencies) for result in results] == [{"/a.nix", "/t"}] * 5


async def test_an_evaluation_inside_a_builtin_counts_for_the_outer_one() -> None:
    inner = over({"a.nix": "1"})

    @aionix.builtin
    async def ask(_: int) -> object:
        return (await inner.evaluate("import /a.nix")).unwrap().to_python()

    outer = Evaluation.builder(Memory({"b.nix": "builtins.ask 1"})).builtins(ask).build()
    assert set((await outer.evaluate("import /b.nix")).dependencies) == {"/a.nix", "/b.nix"}
    assert set((await outer.evaluate("import /b.nix")).dependencies) == {"/a.nix", "/b.nix"}


async def test_it_is_plain_data() -> None:
    import pickle

    found = await dependencies({"a.nix": "builtins.readFile /no"}, "import /a.nix")
    assert pickle.loads(pickle.dumps(found)) == found


# -- what changes


async def test_only_what_depends_on_a_change_is_read_again() -> None:
    files: Tree = {
        "site.nix": "{ a = import /a.nix; b = import /b.nix; }",
        "a.nix": "{ lib = import /lib.nix; text = builtins.readFile /t; }",
        "b.nix": "import /c.nix",
        "c.nix": "3",
        "lib.nix": "0",
        "t": "old",
    }
    io = Counting(files)
    evaluation = Evaluation.builder(io).mode("strict").build()
    await evaluation.evaluate_file("/site.nix")
    files["t"] = "new"
    assert set(evaluation.invalidate(["/t"])) == {"/site.nix", "/a.nix"}
    io.reads.clear()
    assert "new" in str((await evaluation.evaluate_file("/site.nix")).value)
    assert set(io.reads) == {"/site.nix", "/a.nix", "/t"}
    io.reads.clear()
    await evaluation.evaluate_file("/site.nix")
    await evaluation.evaluate_file("/b.nix")
    assert not io.reads
    assert set(evaluation.invalidate(["/nothing", "/c.nix"])) == {"/site.nix", "/b.nix", "/c.nix"}


@pytest.mark.parametrize(
    ("before", "changed", "after"),
    [
        ("builtins.pathExists /new", "/new", "true"),
        ("builtins.attrNames (builtins.readDir /d)", "/d/new", '[ "new" ]'),
        ("if builtins.pathExists /e/f then 1 else 2", "/e", "1"),
        ("(builtins.tryEval (import /late.nix)).value", "/late.nix", "5"),
        ("builtins.readFile /e/f", "/e/f", '"f"'),
        ('builtins.pathExists "${/d}/new"', "/d/new", "true"),
    ],
)
async def test_what_was_missing_and_appears_is_found(before: str, changed: str, after: str) -> None:
    files: Tree = {"a.nix": before, "d": {}}
    evaluation = over(files)
    first = await evaluation.evaluate_file("/a.nix")
    files |= {"new": "", "d": {"new": ""}, "e": {"f": "f"}, "late.nix": "5"}
    assert "/a.nix" in evaluation.invalidate([changed])
    second = await evaluation.evaluate_file("/a.nix")
    assert str(second.value) == after != str(first.value)


async def test_what_a_path_means_is_found_out_again() -> None:
    files: Tree = {"d": {"default.nix": "1"}, "a.nix": "import /d"}
    evaluation = over(files)
    assert str((await evaluation.evaluate("[ (import /d) (import /d) (import /a.nix) ]")).value) == "[ 1 1 1 ]"
    files["d"] = "2"
    assert evaluation.invalidate(["/d"]) == ["/d/default.nix", "/a.nix"]
    assert str((await evaluation.evaluate("[ (import /d) (import /a.nix) ]")).value) == "[ 2 2 ]"


async def test_a_source_that_changes_has_another_store_path() -> None:
    files: Tree = {"src": {"main.c": "1"}, "a.nix": "{ x = \"${./src}\"; y = builtins.path { path = ./src; }; }"}
    evaluation = over(files)
    first = str((await evaluation.evaluate_file("/a.nix")).value)
    files["src"] = {"main.c": "2"}
    evaluation.invalidate(["/src/main.c"])
    second = str((await evaluation.evaluate_file("/a.nix")).value)
    assert first != second == str((await over(files).evaluate_file("/a.nix")).value)


async def test_a_file_that_changes_while_it_is_read_is_read_again() -> None:
    evaluation: Evaluation

    class Changing(Counting):
        async def read(self, path: str) -> bytes:
            data = await super().read(path)
            if data == b"1":
                files["a.nix"] = "2"
                evaluation.invalidate(["/a.nix"])
            return data

    files: Tree = {"a.nix": "1"}
    evaluation = Evaluation.builder(Changing(files)).build()
    assert str((await evaluation.evaluate_file("/a.nix")).value) == "1"
    assert str((await evaluation.evaluate_file("/a.nix")).value) == "2"


async def test_what_changes_while_it_is_copied_or_looked_up_is_looked_at_again() -> None:
    evaluation: Evaluation

    class Changing(Memory):
        async def read(self, path: str) -> bytes:
            data = await super().read(path)
            if data == b"old":
                files["src"] = {"m": "new"}
                evaluation.invalidate(["/src/m"])
            return data

        async def read_link(self, path: str) -> str:
            target = await super().read_link(path)
            if target == "a.nix":
                files["link"] = Symlink("b.nix")
                evaluation.invalidate(["/link"])
            return target

    files: Tree = {"src": {"m": "old"}, "link": Symlink("a.nix"), "a.nix": "1", "b.nix": "2"}
    evaluation = Evaluation.builder(Changing(files)).build()
    found = [str((await evaluation.evaluate('"${/src}"')).value) for _ in range(2)]
    assert found == [str((await over(files).evaluate('"${/src}"')).value)] * 2
    assert [str((await evaluation.evaluate("import /link")).value) for _ in range(2)] == ["2", "2"]


async def test_what_could_not_be_imported_is_looked_at_again() -> None:
    files: Tree = {"x": {}}
    evaluation = over(files)
    assert (await evaluation.evaluate("import /x")).errors
    files["x"] = "42"
    assert str((await evaluation.evaluate("import /x")).value) == "42"


async def test_on_a_disk_it_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.nix").write_text("builtins.readFile ./t")
    (tmp_path / "t").write_text("old")
    evaluation = Evaluation.builder(LocalDisk()).build()
    found = await evaluation.evaluate_file(tmp_path / "a.nix")
    assert set(found.dependencies) == {str(tmp_path / "a.nix"), str(tmp_path / "t")}
    (tmp_path / "t").write_text("new")
    evaluation.invalidate([tmp_path / "t"])
    assert str((await evaluation.evaluate_file(tmp_path / "a.nix")).value) == '"new"'


# -- random trees: nothing is forgotten


class Yielding(Counting):
    async def file_type(self, path: str) -> FileType:
        await anyio.lowlevel.checkpoint()
        return await super().file_type(path)


FILES, TEXTS = 5, 4


def expression(chance: random.Random, file: int, depth: int) -> str:
    """Code for `/f<file>.nix`; imports lead to files with greater numbers only."""
    kinds = ["text", "text", "exists", "number", "lib", "lazy", "let", "call", "list", "fail", "kept"]
    if file + 1 < FILES:
        kinds += ["import", "import", "apply", "deep"]
    if depth == 0:
        kinds = ["text", "exists", "number"]

    text = f"/t{chance.randrange(TEXTS)}"
    other = f"/f{chance.randrange(file + 1, FILES)}.nix" if file + 1 < FILES else ""
    form = {
        "text": f"(builtins.readFile {text})",
        "exists": f"(toString (builtins.pathExists {text}))",
        "number": f'"{chance.randrange(9)}"',
        "lib": f"((import /lib.nix).{chance.choice(['read', 'lazy', 'twice'])} {text})",
        "kept": f"(let v = (import /lib.nix).kept {text}; in v.text + v.text)",
        "lazy": f"(let v = {{ a = @; b = @; }}; in v.{chance.choice('ab')} + v.a)",
        "let": "(let x = @; f = y: x + y; in f @)",
        "call": "((x: y: x + y) @ @)",
        "list": '(builtins.concatStringsSep "," (map (x: x + @) [ @ @ ]))',
        "fail": '(let r = builtins.tryEval (assert @ != "x"; @); in if r.success then r.value else "")',
        "import": f"((import {other}).{chance.choice('ab')})",
        "deep": f"(import {other}).kept.text",
        "apply": f"((import {other}).f @)",
    }[chance.choice(kinds)]
    first, *rest = form.split("@")
    return first + "".join([expression(chance, file, depth - 1) + part for part in rest])


def tree(chance: random.Random) -> Tree:
    files: Tree = {
        "lib.nix": """rec {
            read = path: builtins.readFile path;
            lazy = path: let v = { text = read path; }; in v.text;
            twice = path: own + read path + lazy path;
            kept = path: { text = read path; };
            own = builtins.readFile /t0;
        }"""
    }
    for file in range(FILES):
        a, b, f = [expression(chance, file, 3) for _ in range(3)]
        kept = f"(import /lib.nix).kept /t{chance.randrange(TEXTS)}"
        files[f"f{file}.nix"] = f"rec {{ a = {a}; b = {b}; kept = {kept}; f = x: x + {f} + a; }}"
    return files | {f"t{number}": f"<{number}>" for number in range(TEXTS)}


def change(files: Tree, path: str) -> Tree:
    name = path[1:]
    changed = dict(files)
    if name == "lib.nix" or name.startswith("f"):
        changed[name] = str(files[name]).replace("x + ", 'x + "!" + ').replace("rec {", 'rec { c = "";')
    else:
        changed[name] = f"{files[name]}!"
    return changed


def outcome(result: EvaluationResult) -> object:
    return str(result.value), [error.message for error in result.errors]


@pytest.mark.parametrize("tier", ["interpreter", "native"])
@pytest.mark.parametrize("seed", range(8))
async def test_whatever_matters_is_among_the_dependencies(seed: int, tier: Tier) -> None:
    chance = random.Random(seed)
    files = tree(chance)
    codes = [f"(import /f{chance.randrange(FILES)}.nix).{name}" for name in ("a", "b", 'f "x"', "a", "b", 'f "y"')]
    shared = Evaluation.builder(Yielding(files)).mode("strict").tier(tier).build()
    results = {}

    async def run(code: str) -> None:
        results[code] = await shared.evaluate(code)

    async with anyio.create_task_group() as group:  # some at the same time, some later
        for code in codes[:3]:
            group.start_soon(run, code)
    for code in codes[3:]:
        await run(code)
    for path in ["/lib.nix", *[f"/t{n}" for n in range(TEXTS)], *[f"/f{n}.nix" for n in range(FILES)]]:
        changed = change(files, path)
        for code, result in results.items():
            if path not in result.dependencies:
                fresh = Evaluation.builder(Memory(changed)).mode("strict").build()  # type: ignore[arg-type]
                assert outcome(await fresh.evaluate(code)) == outcome(result), (path, code)


@pytest.mark.parametrize("seed", range(8))
async def test_after_any_change_it_is_as_if_evaluated_for_the_first_time(seed: int) -> None:
    chance = random.Random(seed)
    files = tree(chance)
    codes = [f"(import /f{number}.nix).{name}" for number in range(FILES) for name in ("a", 'f "x"')]
    evaluation = over(files)
    for _ in range(6):
        for code in chance.sample(codes, 5):
            fresh = Evaluation.builder(Memory(dict(files))).mode("strict").build()  # type: ignore[arg-type]
            assert outcome(await evaluation.evaluate(code)) == outcome(await fresh.evaluate(code)), code
        path = f"/{chance.choice(list(files))}"
        files.update(change(files, path))
        evaluation.invalidate([path])
