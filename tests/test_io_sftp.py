"""The files of another machine over SFTP, served by asyncssh."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from same_tree import TREE, evaluates_as_in_memory
from test_io_contract import write_tree

from io_backends import Sftp, contract

pytestmark = pytest.mark.anyio


class Server:
    """An SSH server with the files of this machine, which admits one key and one password."""

    def __init__(self, portal: BlockingPortal, directory: Path) -> None:
        self.portal = portal
        self.key = directory / "client"
        self.known_hosts = directory / "known_hosts"
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        client = asyncssh.generate_private_key("ssh-ed25519")
        client.write_private_key(self.key)
        client.write_public_key(directory / "authorized")
        self.authorized = str(directory / "authorized")

    async def listen(self, port: int = 0) -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            port,
            server_host_keys=[self.host_key],
            authorized_client_keys=self.authorized,
            sftp_factory=True,
        )

    def start(self) -> None:
        self.acceptor = self.portal.call(self.listen)
        self.port = self.acceptor.get_port()
        public = self.host_key.export_public_key().decode()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {public}")

    def stop(self) -> None:
        async def stop() -> None:
            self.acceptor.close()
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
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_blocking_portal() as portal:
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
