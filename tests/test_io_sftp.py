"""The files of another machine over SFTP, served by asyncssh."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import traceback
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import asyncssh
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from same_tree import TREE, evaluates_as_in_memory
from test_io_contract import write_tree
from test_io_git_fetch import hanging

from aionix.io import FileType
from io_backends import Sftp, contract

pytestmark = pytest.mark.anyio


class Server:
    """An SSH server with the files of this machine, which admits one key and one password."""

    def __init__(
        self, portal: BlockingPortal, directory: Path, sftp: type[asyncssh.SFTPServer] = asyncssh.SFTPServer
    ) -> None:
        self.portal = portal
        self.files = sftp
        self.key = directory / "client"
        self.known_hosts = directory / "known_hosts"
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        client = asyncssh.generate_private_key("ssh-ed25519")
        client.write_private_key(self.key)
        client.write_public_key(directory / "authorized")
        self.authorized = str(directory / "authorized")
        self.connections: list[asyncssh.SSHServerConnection] = []

    async def listen(self, port: int = 0) -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            port,
            server_host_keys=[self.host_key],
            authorized_client_keys=self.authorized,
            sftp_factory=self.files,
            acceptor=self.connections.append,
        )

    def drop(self) -> None:
        """Ends all connections without a word."""

        async def drop() -> None:
            for connection in self.connections:
                connection.abort()
            self.connections.clear()

        self.portal.call(drop)

    def start(self) -> None:
        self.acceptor = self.portal.call(self.listen)
        self.port = self.acceptor.get_port()
        public = self.host_key.export_public_key().decode()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {public}")

    def stop(self) -> None:
        async def stop() -> None:
            self.acceptor.close()
            for connection in self.connections:
                connection.abort()
            await self.acceptor.wait_closed()

        self.portal.call(stop)

    def sftp(self, root: Path, **options: object) -> Sftp:
        given: dict[str, object] = {
            "port": self.port,
            "username": "ci",
            "client_keys": [self.key],
            "known_hosts": self.known_hosts,
        }
        return Sftp("127.0.0.1", str(root), **(given | options))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="module")
def server(portal: BlockingPortal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(portal, tmp_path_factory.mktemp("ssh"))
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("check", contract.checks(), ids=str)
async def test_it_keeps_the_contract(check: contract.Check, server: Server, tmp_path: Path) -> None:
    write_tree(tmp_path, check.tree)
    async with server.sftp(tmp_path) as io:
        await check(lambda tree: io)


async def test_an_evaluation_reads_it_as_it_reads_the_same_tree_in_memory(
    server: Server, tmp_path: Path
) -> None:
    write_tree(tmp_path, TREE)
    async with server.sftp(tmp_path) as io:
        await evaluates_as_in_memory(io, TREE)


async def refused(io: Sftp, code: int, words: str) -> None:
    """It cannot be entered, says why, and keeps nothing."""
    with pytest.raises(OSError, match=words) as caught:
        async with io:
            raise AssertionError
    assert caught.value.errno == code
    assert "secret" not in "".join(traceback.format_exception(caught.value)) + repr(io)
    assert not any(task.get_name().startswith("asyncssh") for task in tasks())


def tasks() -> set[asyncio.Task[object]]:
    try:
        return asyncio.all_tasks()
    except RuntimeError:  # on trio
        return set()


async def test_a_server_whose_key_is_not_known_is_not_spoken_to(server: Server, tmp_path: Path) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    for known in ("", f"[127.0.0.1]:{server.port} {other}"):
        (tmp_path / "known").write_text(known)
        await refused(
            server.sftp(tmp_path, known_hosts=tmp_path / "known", password="secret"), errno.ECONNREFUSED, "not a known one"
        )
    async with server.sftp(tmp_path, known_hosts=False) as io:
        assert await io.path_exists("/known")


async def test_a_login_that_is_refused_is_told_without_the_password(server: Server, tmp_path: Path) -> None:
    other = tmp_path / "other"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(other)
    await refused(server.sftp(tmp_path, client_keys=[other]), errno.EACCES, "refuses the login")
    await refused(server.sftp(tmp_path, client_keys=[], password="secret"), errno.EACCES, "refuses the login")
    other.write_text("no key")
    await refused(server.sftp(tmp_path, client_keys=[other]), errno.EIO, "sftp: it failed")
    await refused(server.sftp(tmp_path, client_keys=[tmp_path / "no"]), errno.ENXIO, "cannot connect")


async def test_nobody_listening_and_silence_are_told_in_bounded_time(server: Server, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        start = anyio.current_time()
        await refused(server.sftp(tmp_path, port=port, timeout=0.2), errno.ETIMEDOUT, "no answer within 0.2 s")
        assert anyio.current_time() - start < 2
    await refused(server.sftp(tmp_path, port=port), errno.ECONNREFUSED, "Connection refused")


async def test_garbage_is_told(server: Server, tmp_path: Path) -> None:
    with hanging(b"garbage\r\n" * 2000) as url:
        port = urlsplit(url).port
        await refused(server.sftp(tmp_path, port=port, timeout=5), errno.ECONNRESET, "connection failed")


async def test_a_lost_connection_is_made_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    async with server.sftp(tmp_path) as io:
        assert await io.read("/f") == b"x"
        for _ in range(2):
            await anyio.to_thread.run_sync(server.drop)
            assert await io.read("/f") == b"x"
        await anyio.to_thread.run_sync(server.drop)
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(io.read, "/f")


async def test_a_server_that_is_gone_is_told(portal: BlockingPortal, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x" * 1_000_000)
    server = Server(portal, tmp_path)
    server.start()
    async with server.sftp(tmp_path) as io, io.open("/f") as file:
        assert await file.read(10) == b"x" * 10
        await anyio.to_thread.run_sync(server.stop)
        with pytest.raises(OSError) as caught:
            await io.read("/f")
        assert caught.value.errno == errno.ECONNREFUSED
        with pytest.raises(OSError) as caught:
            while await file.read(1_000_000):
                pass
        assert caught.value.errno == errno.ECONNRESET


async def test_what_is_too_large_is_refused(server: Server, tmp_path: Path) -> None:
    write_tree(tmp_path, {"f": b"x" * 1000, "d": {str(number): "" for number in range(30)}})
    async with server.sftp(tmp_path, max_file_size=999, max_entries=29) as io:
        for look in (io.read("/f"), io.read_dir("/d")):
            with pytest.raises(OSError, match="more than") as caught:
                await look
            assert caught.value.errno == errno.EFBIG


async def test_what_is_no_file_is_not_opened(server: Server, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "closed").mkdir()
    async with server.sftp(tmp_path) as io:
        assert await io.read_dir("/") == {"pipe": FileType.UNKNOWN, "closed": FileType.DIRECTORY}
        with pytest.raises(OSError) as caught:
            await io.read("/pipe")
        assert caught.value.errno == errno.EINVAL
        for path in ("/a\0b", "/\ud800"):
            with pytest.raises(OSError) as caught:
                await io.read(path)


async def test_a_root_that_is_a_link_is_a_root(server: Server, tmp_path: Path) -> None:
    write_tree(tmp_path, {"real": {"f": "x"}})
    (tmp_path / "link").symlink_to("real")
    async with server.sftp(tmp_path / "link") as io:
        assert await io.read("/f") == b"x"
        assert await io.file_type("/") is FileType.DIRECTORY


async def test_outside_of_async_with_nothing_is_connected(server: Server, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await server.sftp(tmp_path).read("/f")


class Lying(asyncssh.SFTPServer):
    """Names that no directory has, and more bytes than were asked for."""

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        async for entry in super().scandir(path):
            if entry.filename == b"lie":
                entry.filename = b"../../lie"
            yield entry

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        return bytes(size + 1)


async def test_what_a_server_makes_up_is_refused(portal: BlockingPortal, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    write_tree(tmp_path, {"d": {"lie": "", "other": ""}, "f": "four"})
    server = Server(portal, tmp_path / "keys", Lying)
    server.start()
    try:
        async with server.sftp(tmp_path) as io:
            for look, words in ((io.read_dir("/d"), "is not allowed"), (io.read("/f"), "5 bytes came")):
                with pytest.raises(OSError, match=words) as caught:
                    await look
                assert caught.value.errno == errno.EIO
    finally:
        server.stop()
