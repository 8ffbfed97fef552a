"""Ways out of what `Restricted` shows, each tried by a real evaluation on a real disk, with real links.

Each try is made twice: in a world with secrets, and in one where they are not there. It must end in the same
words, with no secret in them, and the backend beneath must not have been asked about anything outside.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from posixpath import normpath
from tarfile import SYMTYPE, TarFile, TarInfo
from typing import NamedTuple

import pytest
from servers import Files, serve

from aionix import Evaluation
from aionix.io import EvalIO, FileType
from aionix.rendering import render
from aionix.store.nar import write_nar
from io_backends import Archive, Http, LocalDisk, Nar, Restricted, Tracing
from io_backends.memory import Node

pytestmark = pytest.mark.anyio

#: What no answer may have in it: no expression names the vault, only links do.
SECRETS = ("vault", "classified")
#: How a try may end: with an error, or, if it is a question, as it does when nothing is there.
REFUSED = "Error"

# In the directory that is shown. Both worlds have these links, wherever they lead.
LINKS = {
    "file": "../vault/hush.txt",
    "absfile": "{vault}/hush.txt",
    "dir": "../vault",
    "absdir": "{vault}",
    "gone": "../vault/nothing.txt",
    "nix": "../vault/hush.nix",
    "chain": "sub/hop",
    "sub/hop": "../dir/vault.txt",
    "up": "..",
    "root": "/",
    "inout": "sub/../../vault/hush.txt",
    "outin": "../vault/deep/../../project/data.txt",
    "key": "private/vault.key",
    "denied": "private/vault",
    "loop": "loop/../../vault/hush.txt",
    "ping": "pong",
    "pong": "../vault/back",
    "circle": "../vault/circle",
    "through": "../vault/hush.txt/below",
    "proc": "/proc/self/root{vault}/hush.txt",
    "cwd": "/proc/self/cwd/vault",
    "fd": "/dev/fd/0/../vault",
    "dots": "./././../vault/./hush.txt",
    "sibling": "../project-vault",
    "long": "../vault/" + "deep/../" * 50 + "hush.txt",
    "default-dir/default.nix": "../../vault/hush.nix",
    "sub/data": "../data.txt",
}
SHOWN_LINKS = ("up", "root", "sub/data")


def build(project: Path, *secrets: Path) -> None:
    for directory in (project / "sub", project / "default-dir"):
        directory.mkdir(parents=True)
    (project / "data.txt").write_text("data")
    (project / "import-out.nix").write_text("import ../outside/hush.nix")
    for secret in secrets:
        (secret / "deep").mkdir(parents=True)
        for name in ("hush.txt", "vault.txt", "vault.key", "hush.key", "below"):
            (secret / name).write_text("classified")
        for name in ("hush.nix", "default.nix", "deep/inner.nix"):
            (secret / name).write_text('"classified"')
        (secret / "broken.nix").write_text("classified {{{")
        (secret / "back").symlink_to("../project/ping")
        (secret / "circle").symlink_to("circle")
        (secret / "vault").symlink_to("deep")
    for name, target in LINKS.items():
        (project / name).symlink_to(target.format(vault=project.parent / "vault"))


class Try(NamedTuple):
    """An expression, and what comes of it: `REFUSED`, or a value as text."""

    code: str
    outcome: str = REFUSED


EXPRESSIONS = [
    # By name
    Try("builtins.readFile {o}/hush.txt"),
    Try('builtins.readFile "{o}/hush.txt"'),
    Try("builtins.readFile {p}/../outside/hush.txt"),
    Try("builtins.readFile {p}/sub/../../outside/hush.txt"),
    Try('builtins.readFile "{p}/../outside/hush.txt"'),
    Try('builtins.readFile ({p} + "/../outside/hush.txt")'),
    Try('builtins.readFile "{p}//..//outside/./hush.txt"'),
    Try('builtins.readFile (builtins.toPath "{p}/../outside/hush.txt")'),
    Try('builtins.readFile ("{p}" + "-sibling/hush.txt")'),
    Try("builtins.readFile {p}/private/hush.key"),
    Try('builtins.readFile "{p}/./private/../private/hush.key"'),
    Try("import {o}/hush.nix"),
    Try("import {o}"),
    Try("import {p}/private"),
    Try("import {o}/broken.nix"),
    Try("scopedImport {{ }} {o}/hush.nix"),
    Try("import {p}/import-out.nix"),
    Try("builtins.readDir {o}"),
    Try("builtins.readDir {p}/private"),
    Try("builtins.readDir {p}-sibling"),
    Try("builtins.readFileType {o}/hush.txt"),
    Try("builtins.hashFile \"sha256\" {o}/hush.txt"),
    Try("builtins.hashFile \"sha256\" {p}/private/hush.key"),
    # Into the store
    Try('"${{{o}/hush.txt}}"'),
    Try('"${{{o}}}"'),
    Try("builtins.path {{ path = {o}/hush.txt; }}"),
    Try('builtins.path {{ path = {p}/private; name = "x"; }}'),
    Try("builtins.filterSource (_: _: true) {o}"),
    Try("builtins.path {{ path = {p}/dir; }}"),
    Try('"${{{p}/file}}"'),
    Try('"${{{p}}}"'),
    Try('builtins.path {{ path = {p}; filter = name: type: baseNameOf name == "absfile"; name = "x"; }}'),
    Try("builtins.storePath {o}/hush.txt"),
    Try('derivation {{ name = "x"; system = "y"; builder = {p}/file; }}'),
    # Through links
    Try("builtins.readFile {p}/file"),
    Try("builtins.readFile {p}/absfile"),
    Try("builtins.readFile {p}/dir/hush.txt"),
    Try("builtins.readFile {p}/absdir/hush.txt"),
    Try("builtins.readFile {p}/gone"),
    Try("builtins.readFile {p}/chain"),
    Try("builtins.readFile {p}/up/outside/hush.txt"),
    Try("builtins.readFile {p}/root{o}/hush.txt"),
    Try("builtins.readFile {p}/inout"),
    Try("builtins.readFile {p}/outin"),
    Try("builtins.readFile {p}/key"),
    Try("builtins.readFile {p}/denied/inner.nix"),
    Try("builtins.readFile {p}/ping"),
    Try("builtins.readFile {p}/through"),
    Try("builtins.readFile {p}/proc"),
    Try("builtins.readFile {p}/fd"),
    Try("builtins.readFile {p}/dots"),
    Try("builtins.readFile {p}/long"),
    Try("builtins.readFile {p}/sibling/hush.txt"),
    Try("import {p}/nix"),
    Try("import {p}/dir"),
    Try("import {p}/default-dir"),
    Try("import {p}/dir/deep/inner.nix"),
    Try("builtins.readDir {p}/dir"),
    Try("builtins.readDir {p}/absdir/deep"),
    Try("builtins.readDir {p}/denied"),
    Try("builtins.readDir {p}/cwd"),
    Try("builtins.readDir {p}/sibling"),
    Try("builtins.hashFile \"sha256\" {p}/file"),
    Try("builtins.readFile {p}/loop"),
    # Questions
    Try("builtins.pathExists {o}/hush.txt", "False"),
    Try("builtins.pathExists {o}", "False"),
    Try('builtins.pathExists "{o}/"', "False"),
    Try('builtins.pathExists "{o}/."', "False"),
    Try("builtins.pathExists {p}/dir/hush.txt", "False"),
    Try('builtins.pathExists "{p}/dir/"', "False"),
    Try('builtins.pathExists "{p}/gone/"', "False"),
    Try("builtins.pathExists {p}/private", "False"),
    Try("builtins.pathExists {p}/private/hush.key", "False"),
    Try("builtins.pathExists {p}/up/outside", "False"),
    Try("builtins.pathExists {o}/circle/x", "False"),
    Try("builtins.pathExists /etc/passwd", "False"),
    Try("builtins.pathExists /proc/self/environ", "False"),
    Try('builtins.tryEval (builtins.readFile {o}/hush.txt)'),
    Try('(builtins.readDir {p}/up) ? outside', "False"),
    Try('(builtins.readDir {p}) ? private', "False"),
    Try('builtins.attrNames (builtins.readDir {p}/up)', "['project']"),
    Try('builtins.readFileType {p}/file', "symlink"),
    Try('builtins.readFileType {p}/dir/hush.txt'),
    # The search path
    Try("<o/hush.nix>"),
    Try("import <o/hush.nix>"),
    Try("<hush.nix>"),
    Try("<link/hush.nix>"),
    Try('builtins.findFile [ {{ prefix = ""; path = "{o}"; }} ] "hush.nix"'),
    Try('builtins.findFile [ {{ prefix = ""; path = "{p}"; }} ] "dir/hush.nix"'),
    Try('builtins.findFile [ {{ prefix = "x"; path = "{p}/private"; }} ] "x"'),
    Try('builtins.findFile [ {{ prefix = ""; path = {p}; }} ] "../outside/hush.nix"'),
    # The environment
    Try('builtins.getEnv "HUSH"', ""),
    Try("builtins.readFile ~/hush.txt"),
    Try("builtins.readFile /proc/self/environ"),
    # Downloads from this machine
    Try('builtins.readFile (builtins.fetchurl "file://{o}/hush.txt")'),
    Try('builtins.readFile (builtins.fetchurl "http://127.0.0.1/hush.txt")'),
    Try('import (builtins.fetchTarball "file://{o}/hush.tar")'),
    Try('builtins.fetchGit "{o}"'),
]  # fmt: skip


async def entered(io: EvalIO, path: str, kind: FileType | None = None) -> object:
    async with io.open_entry(path, kind) as entry:
        return entry.kind, entry.executable, entry.file and await entry.file.read(99)


async def opened(io: EvalIO, path: str) -> bytes:
    async with io.open(path) as file:
        return await file.read(99)


async def ranged(io: EvalIO, path: str) -> bytes:
    async with io.open_range(path, 0, 99) as file:
        return await file.read(99)


Call = Callable[[EvalIO, str, str], Awaitable[object]]
CALLS: dict[str, tuple[Call, str]] = {
    "read, dots": (lambda io, p, o: io.read(f"{p}/../outside/hush.txt"), REFUSED),
    "read, dots of a name that is missing": (lambda io, p, o: io.read(f"{p}/no/../../outside/hush.txt"), REFUSED),
    "read, doubled slashes": (lambda io, p, o: io.read(f"/{o}//hush.txt"), REFUSED),
    "read, no slash": (lambda io, p, o: io.read(f"{o}/hush.txt"[1:]), REFUSED),
    "read_dir, dots": (lambda io, p, o: io.read_dir(f"{p}/../outside"), REFUSED),
    "read_dir, dot": (lambda io, p, o: io.read_dir(f"{o}/."), REFUSED),
    "file_type": (lambda io, p, o: io.file_type(f"{o}/hush.txt"), REFUSED),
    "file_type, trailing slash": (lambda io, p, o: io.file_type(f"{p}/dir/"), REFUSED),
    "file_type, dots": (lambda io, p, o: io.file_type(f"{p}/dir/.."), REFUSED),
    "file_type of what is denied": (lambda io, p, o: io.file_type(f"{p}/private"), REFUSED),
    "is_executable": (lambda io, p, o: io.is_executable(f"{o}/hush.txt"), REFUSED),
    "is_executable, a link": (lambda io, p, o: io.is_executable(f"{p}/file"), "False"),
    "path_exists": (lambda io, p, o: io.path_exists(f"{o}/hush.txt"), "False"),
    "path_exists, a link": (lambda io, p, o: io.path_exists(f"{p}/file"), "False"),
    "path_exists, dots": (lambda io, p, o: io.path_exists(f"{p}/../outside"), "False"),
    "open": (lambda io, p, o: opened(io, f"{o}/hush.txt"), REFUSED),
    "open, a link": (lambda io, p, o: opened(io, f"{p}/file"), REFUSED),
    "open, dots": (lambda io, p, o: opened(io, f"{p}/../outside/hush.txt"), REFUSED),
    "open_range": (lambda io, p, o: ranged(io, f"{o}/hush.txt"), REFUSED),
    "open_range, a link": (lambda io, p, o: ranged(io, f"{p}/dir/hush.txt"), REFUSED),
    "open_entry": (lambda io, p, o: entered(io, f"{o}/hush.txt"), REFUSED),
    "open_entry, a lie about the kind": (lambda io, p, o: entered(io, f"{p}/file", FileType.REGULAR), "symlink"),
    "open_entry below a link": (lambda io, p, o: entered(io, f"{p}/dir/hush.txt", FileType.REGULAR), REFUSED),
    "open_entry, what leads there": (lambda io, p, o: entered(io, p.rpartition("/")[0]), "directory"),
    "import_path": (lambda io, p, o: io.import_path(f"{p}/private"), "None"),
    "get_env": (lambda io, p, o: given(io.get_env("HUSH")), "None"),
    **{
        f"read_link {name}": (lambda io, p, o, name=name: io.read_link(f"{p}/{name}"), REFUSED)  # type: ignore[misc]
        for name in LINKS if name not in SHOWN_LINKS
    },
    **{
        f"resolve {name}": (lambda io, p, o, name=name: io.resolve(f"{p}/{name}"), REFUSED)  # type: ignore[misc]
        for name in LINKS if name not in SHOWN_LINKS
    },
    "resolve, outside": (lambda io, p, o: io.resolve(f"{o}/back"), "outside/back"),
}  # fmt: skip


async def given(value: object) -> object:
    return value


class World:
    """A disk with secrets, and the part of it that is shown."""

    def __init__(self, base: Path) -> None:
        self.project, self.outside = base / "project", base / "outside"
        siblings = [base / name for name in ("vault", "project-sibling", "project-vault")]
        self.secrets = [self.outside, self.project / "private", *siblings]
        build(self.project, *self.secrets)

    def forget(self) -> None:
        for secret in self.secrets:
            shutil.rmtree(secret)

    def io(self) -> tuple[Tracing, EvalIO]:
        disk = Tracing(LocalDisk(env=True))
        return disk, Restricted(disk, [str(self.project)], [str(self.project / "private")], env=["HOME"])

    async def value(self, code: str) -> tuple[Tracing, str]:
        disk, io = self.io()
        places = [f"o={self.outside}", str(self.outside), f"link={self.project}/dir"]
        evaluation = Evaluation.builder(io).mode("strict").search_path(places).build()
        source = code.format(p=self.project, o=self.outside)
        result = await evaluation.evaluate(source, base_dir=str(self.project))
        if result.value is not None:
            return disk, str(result.value.to_python())
        return disk, f"{REFUSED}: {result.errors[0]} {result.errors[0].to_dict()} {render(result.errors[0])}"

    async def answer(self, call: Call) -> tuple[Tracing, str]:
        disk, io = self.io()
        try:
            return disk, str(await call(io, str(self.project), str(self.outside)))
        except OSError as error:
            return disk, f"{REFUSED}: {error!r} {error} {error.filename}"

    def audit(self, disk: Tracing) -> None:
        """The disk was asked about what is shown only; to know it, where the rules' own links lead."""
        project, private = str(self.project), str(self.project / "private")
        for method, path in disk.calls:
            if method == "get_env":
                assert path in ("HOME", "NIX_PATH")
            elif (method, path) != ("resolve", private):
                assert f"{project}/".startswith(path.rstrip("/") + "/") or path.startswith(f"{project}/")
                assert path != private and not path.startswith(f"{private}/")


def untold(answer: str) -> None:
    assert not any(secret in answer for secret in SECRETS), answer


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("HUSH", "classified")
    monkeypatch.setenv("HOME", str(tmp_path / "outside"))
    return World(tmp_path)


@pytest.mark.parametrize(("code", "outcome"), EXPRESSIONS, ids=[each.code for each in EXPRESSIONS])
async def test_no_expression_leads_out(world: World, code: str, outcome: str) -> None:
    disk, answer = await world.value(code)
    assert answer == outcome or (outcome == REFUSED and answer.startswith(REFUSED))
    untold(answer)
    world.audit(disk)
    world.forget()
    assert (await world.value(code))[1] == answer


@pytest.mark.parametrize("name", CALLS)
async def test_no_call_leads_out(world: World, name: str) -> None:
    call, outcome = CALLS[name]
    disk, answer = await world.answer(call)
    assert outcome in answer
    untold(answer)
    world.audit(disk)
    world.forget()
    assert (await world.answer(call))[1] == answer


def test_there_are_enough_tries() -> None:
    assert len(EXPRESSIONS) + len(CALLS) >= 60


async def test_what_is_shown_is_still_read(world: World) -> None:
    assert (await world.value("builtins.readFile {p}/data.txt"))[1] == "data"
    assert (await world.value("builtins.readFile {p}/sub/data"))[1] == "data"
    assert (await world.value("builtins.readFile {p}/up/project/data.txt"))[1] == "data"
    assert (await world.answer(lambda io, p, o: io.read_link(f"{p}/sub/data")))[1] == "../data.txt"
    assert (await world.answer(lambda io, p, o: io.resolve(f"{p}/sub/data")))[1] == f"{world.project}/data.txt"


def tarred(members: dict[str, str]) -> bytes:
    """Names and contents; a content that begins with `->` is a link's target."""
    data = BytesIO()
    with TarFile(fileobj=data, mode="w") as tar:
        for name, content in members.items():
            member = TarInfo(name)
            if content.startswith("->"):
                member.type, member.linkname = SYMTYPE, content[2:]
                tar.addfile(member)
            else:
                member.size = len(content)
                tar.addfile(member, BytesIO(content.encode()))
    return data.getvalue()


MEMBERS = {
    "pub/data.txt": "data",
    "vault/hush.txt": "classified",
    "pub/rel": "->../vault/hush.txt",
    "pub/abs": "->/vault/hush.txt",
    "pub/many": "->../../../../vault/hush.txt",
    "pub/dir": "->../vault",
    "pub/etc": "->/etc/vault",
    "pub/back": "->../vault/../pub/data.txt",
}
PACKED = ["/pub/rel", "/pub/abs", "/pub/many", "/pub/dir/hush.txt", "/pub/etc", "/pub/back", "/other/hush.txt"]


async def packed_nar(archive: EvalIO) -> bytes:
    data = bytearray()

    async def sink(piece: bytes) -> None:
        data.extend(piece)

    await write_nar(archive, "/", sink)
    return bytes(data)


@pytest.mark.parametrize("form", ["tar", "nar"])
@pytest.mark.parametrize("path", PACKED)
async def test_no_member_of_an_archive_leads_out(path: str, form: str) -> None:
    archive: EvalIO = Archive(tarred(MEMBERS))
    inner = Tracing(archive if form == "tar" else Nar(await packed_nar(archive)))
    assert await inner.read("/pub/rel") == b"classified"
    inner.calls.clear()
    evaluation = Evaluation.builder(Restricted(inner, ["/pub"])).build()
    for code in (f"builtins.readFile {path}", f'"${{{path}}}"', f"import {path}"):
        result = await evaluation.evaluate(code, base_dir="/")
        assert result.errors
        untold(str(result.errors[0]))
    assert all(asked == "/" or asked.startswith("/pub") for _, asked in inner.calls)


SERVED: dict[str, Node] = {
    "pub": {"data.txt": "data", "%2e%2e": {"vault": "odd"}, "x": ""},
    "vault": {"hush.txt": "classified", "default.nix": '"classified"'},
}


@pytest.mark.parametrize(
    "place",
    [
        "/vault/hush.txt", "/pub/../vault/hush.txt", "/pub/%2e%2e/vault/hush.txt", "/pub/..%2fvault%2fhush.txt", "/pub/x/../../vault",
        "/pub//../vault/hush.txt", "/pub\\..\\vault\\hush.txt", "/pub/?/../../vault/hush.txt", "/pub/#/../../vault", "//127.0.0.1/vault/hush.txt",
    ],
)  # fmt: skip
async def test_no_name_on_a_server_leads_out(place: str) -> None:
    async with serve(Files(SERVED)) as server, Http(server.url) as http:
        io = Restricted(http, ["/pub"])
        evaluation = Evaluation.builder(io).build()
        for code in (f'builtins.readFile "{place}"', f'import (/. + "{place}")'):
            result = await evaluation.evaluate(code, base_dir="/")
            assert result.errors
            assert "classified" not in str(result.errors[0])
        with pytest.raises(OSError):
            await io.read(place)
        assert not [path for path in server.counts if not f"{normpath(path)}/".startswith("/pub/")]
        assert await io.read("/pub/data.txt") == b"data"


async def test_an_archive_whose_members_lead_out_of_it_is_refused() -> None:
    with pytest.raises(OSError, match="cannot find out which files") as caught:
        await Restricted(Archive(tarred({"pub/../../etc/vault": "x"})), ["/pub"]).read_dir("/pub")
    untold(str(caught.value))


def test_this_world_has_the_secrets(world: World) -> None:
    assert os.path.exists(world.project / "file") and (world.project / "proc").read_text() == "classified"
