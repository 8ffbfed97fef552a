"""LocalDisk against a hostile disk: nothing leads out of its root, nothing hangs, nothing leaks."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from aionix.io import EvalIO, FileType
from io_backends import LocalDisk, default_io

pytestmark = pytest.mark.anyio

SECRET = b"the secret"


@pytest.fixture
def jail(tmp_path: Path) -> Path:
    """A root, with a secret beside it."""
    (tmp_path / "secret").write_bytes(SECRET)
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / "key").write_bytes(SECRET)
    root = tmp_path / "root"
    root.mkdir()
    (root / "dir").mkdir()
    return root


LOOKS: list[Callable[[EvalIO, str], Awaitable[object]]] = [
    lambda io, path: io.read(path),
    lambda io, path: io.read_dir(path),
    lambda io, path: piece(io, path),
]


async def piece(io: EvalIO, path: str) -> bytes:
    async with io.open(path) as file:
        return await file.read(64)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("target", ["../secret", "../vault", "../../../../../../..", "dir/../../vault/key"])
async def test_no_relative_link_leads_out_of_the_root(
    jail: Path, target: str, look: Callable[[EvalIO, str], Awaitable[object]]
) -> None:
    (jail / "link").symlink_to(target)
    (jail / "dir" / "to").symlink_to("../link")
    for path in ("/link", "/dir/to", "/link/key", "/link/secret"):
        try:
            found = await look(LocalDisk(jail), path)
        except OSError:
            continue
        assert found == {"dir": FileType.DIRECTORY, "link": FileType.SYMLINK}  # stopped at the root


@pytest.mark.parametrize("look", LOOKS)
async def test_no_absolute_link_leads_out_of_the_root(
    jail: Path, look: Callable[[EvalIO, str], Awaitable[object]]
) -> None:
    outside = str(jail.parent)
    (jail / "link").symlink_to(outside)
    for path in ("/link", "/link/secret", "/link/vault"):
        with pytest.raises(FileNotFoundError):
            await look(LocalDisk(jail), path)
        assert not await LocalDisk(jail).path_exists(path)


async def test_dots_in_a_path_do_not_lead_out_either(jail: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await LocalDisk(jail).read("/../secret")
    with pytest.raises(FileNotFoundError):
        await LocalDisk(jail).read("/dir/../../secret")
    (jail / "only").mkdir()
    for path in ("/..", "/dir/..", "/../..", "/."):
        assert await LocalDisk(jail).path_exists(path + "/only")
        assert "secret" not in await LocalDisk(jail).read_dir(path)
        assert await LocalDisk(jail).file_type(path) is FileType.DIRECTORY


async def test_errors_under_a_root_do_not_tell_where_it_is(jail: Path) -> None:
    with pytest.raises(OSError) as caught:
        await LocalDisk(jail).read("/dir/no")
    assert caught.value.filename == "/dir/no"
    assert str(jail) not in str(caught.value)


async def test_swapping_a_directory_for_a_link_gains_nothing(jail: Path) -> None:
    (jail / "dir" / "key").write_bytes(b"open")
    (jail / "away").symlink_to("../vault")
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            os.rename(jail / "dir", jail / "real")
            os.rename(jail / "away", jail / "dir")
            os.rename(jail / "dir", jail / "away")
            os.rename(jail / "real", jail / "dir")

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        seen = set()
        for _ in range(300):
            try:
                seen.add(await LocalDisk(jail).read("/dir/key"))
            except OSError:
                continue
    finally:
        done.set()
        swapper.join()
    assert seen <= {b"open"}


@pytest.mark.parametrize("rooted", [True, False])
async def test_special_files_are_refused_at_once(
    jail: Path, rooted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(jail / "fifo")
    (jail / "to-fifo").symlink_to("fifo")
    listener = socket.socket(socket.AF_UNIX)
    monkeypatch.chdir(jail)  # the name of a socket must be short
    listener.bind("socket")
    io, prefix = (LocalDisk(jail), "") if rooted else (LocalDisk(), str(jail))
    with listener, anyio.fail_after(60):
        for name in ("fifo", "to-fifo", "socket"):
            with pytest.raises(OSError, match="not a regular file"):
                await io.read(f"{prefix}/{name}")
            with pytest.raises(OSError, match="not a regular file"):
                await piece(io, f"{prefix}/{name}")
            with pytest.raises(NotADirectoryError):
                await io.read_dir(f"{prefix}/{name}")
        assert await io.file_type(f"{prefix}/fifo") is FileType.UNKNOWN
        assert (await io.read_dir(prefix or "/"))["socket"] is FileType.UNKNOWN


async def test_devices_are_refused() -> None:
    with pytest.raises(OSError, match="not a regular file"):
        await LocalDisk().read("/dev/zero")


# The first round is for imports, which an unprivileged user may not be able to do any more.
_AS_NOBODY = """
import anyio, os, sys
from io_backends import LocalDisk
tree, rooted, loop = sys.argv[1:]
async def main():
    io, prefix = (LocalDisk(tree), "/") if rooted == "rooted" else (LocalDisk(), tree + "/")
    for look, path in (
        (io.read, "file"), (io.read, "closed/x"), (io.read_dir, "closed"), (io.file_type, "closed/x"),
        (io.path_exists, "closed/x"), (io.resolve, "closed/x"), (io.read, "passable/x"),
    ):
        try:
            yield path, await look(prefix + path)
        except OSError as error:
            yield path, type(error).__name__
async def collect():
    return [found async for found in main()]
anyio.run(collect, backend=loop)
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
for path, found in anyio.run(collect, backend=loop):
    print(path, found)
"""


@pytest.mark.parametrize("rooted", ["rooted", "whole"])
def test_what_may_not_be_read_is_a_permission_error(
    tmp_path_factory: pytest.TempPathFactory, anyio_backend: str, rooted: str
) -> None:
    tree = tmp_path_factory.mktemp("tree")
    for above in (tree, *tree.parents[:3]):  # down from the directory of all runs, with pytest-xdist, too
        mode = above.stat().st_mode
        if mode & 0o055 != 0o055:
            above.chmod(mode | 0o755)
    for name, mode in (("closed", 0o000), ("passable", 0o711)):
        (tree / name).mkdir()
        (tree / name / "x").write_text("x")
        (tree / name).chmod(mode)
    (tree / "file").write_text("x")
    (tree / "file").chmod(0o000)
    packages = str(Path(__file__).parent.parent)
    ran = subprocess.run(
        [sys.executable, "-c", _AS_NOBODY, str(tree), rooted, anyio_backend],
        capture_output=True, text=True, env={"PYTHONPATH": packages}, cwd="/",
    )  # fmt: skip
    (tree / "closed").chmod(0o755)
    assert ran.stderr == ""
    refused = ["file", "closed/x", "closed", "closed/x", "closed/x", "closed/x"]
    assert ran.stdout.splitlines() == [f"{path} PermissionError" for path in refused] + ["passable/x b'x'"]


async def test_a_file_replaced_while_it_is_read_stays_the_one_that_was_opened(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old" * 1000)
    (tmp_path / "b").write_bytes(b"new" * 1000)
    async with LocalDisk().open(str(tmp_path / "a")) as file:
        first = await file.read(300)
        os.replace(tmp_path / "b", tmp_path / "a")
        rest = await file.read(10_000)
    assert first + rest == b"old" * 1000


async def test_read_is_bounded_and_open_is_not(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 1001)
    (tmp_path / "fits").write_bytes(b"x" * 1000)
    io = LocalDisk(tmp_path, max_file_size=1000)
    assert len(await io.read("/fits")) == 1000
    with pytest.raises(OSError, match="more than 1000 bytes") as caught:
        await io.read("/big")
    assert caught.value.errno == errno.EFBIG
    async with io.open("/big") as file:
        assert file.size == 1001


async def test_the_bound_does_not_believe_the_size() -> None:
    # Files of /proc say that they have 0 bytes.
    assert b"Pid:" in await LocalDisk().read("/proc/self/status")
    with pytest.raises(OSError, match="more than 10 bytes"):
        await LocalDisk(max_file_size=10).read("/proc/self/status")


@pytest.mark.parametrize("path", ["/a\0b", "/" + "x" * 300, "/" + "x/" * 3000])
async def test_impossible_names_are_os_errors(jail: Path, path: str) -> None:
    for io in (LocalDisk(), LocalDisk(jail)):
        for look in (*LOOKS, LocalDisk.file_type):
            with pytest.raises(OSError):
                await look(io, path)


async def test_no_descriptor_is_left_open(jail: Path) -> None:
    (jail / "a").symlink_to("dir/../dir/../dir/x")
    (jail / "loop").symlink_to("loop")
    (jail / "dir" / "x").write_text("x")
    io = LocalDisk(jail)

    async def everything() -> None:
        for path in ("/a", "/loop", "/dir", "/dir/x", "/no", "/dir/x/y", "/loop/x", "/"):
            for look in (*LOOKS, LocalDisk.file_type, LocalDisk.path_exists, LocalDisk.resolve):
                try:
                    await look(io, path)
                except OSError:
                    continue

    await everything()
    before = len(os.listdir("/proc/self/fd"))
    await everything()
    assert len(os.listdir("/proc/self/fd")) == before


async def test_the_event_loop_goes_on_while_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(90_000_000))
    turns = 0

    async def tick() -> None:
        nonlocal turns
        while True:
            await anyio.lowlevel.checkpoint()
            turns += 1

    async with anyio.create_task_group() as group:
        group.start_soon(tick)
        assert len(await LocalDisk().read(str(tmp_path / "large"))) == 90_000_000
        group.cancel_scope.cancel()
    assert turns > 1  # if reading blocked the loop, there would be none, or one


def test_a_relative_root_stays_where_it_was(
    jail: Path, anyio_backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (jail / "a").write_text("a")
    monkeypatch.chdir(jail.parent)
    disk = LocalDisk("root")
    monkeypatch.chdir("/")
    assert anyio.run(disk.read, "/a", backend=anyio_backend) == b"a"


async def test_a_root_may_itself_be_a_link(jail: Path) -> None:
    (jail / "a").write_text("a")
    (jail.parent / "alias").symlink_to("root")
    assert await LocalDisk(jail.parent / "alias").read("/a") == b"a"


async def test_a_root_that_is_gone_has_no_files(tmp_path: Path) -> None:
    assert not await LocalDisk(tmp_path / "gone").path_exists("/a")


def test_the_environment_is_shown_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIONIX_TEST", "caf\udce9")
    assert LocalDisk().get_env("AIONIX_TEST") is None
    assert LocalDisk(env=True).get_env("AIONIX_TEST") == "caf\udce9"
    assert default_io().get_env("AIONIX_TEST") == "caf\udce9"
    assert LocalDisk(env=True).get_env("AIONIX_NOT_SET") is None
