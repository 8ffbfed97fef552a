"""One tree has one source path, wherever it is served from."""

from __future__ import annotations

import http.client
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote

import anyio
import anyio.to_thread
import pytest
from test_io_archive import packed_tar, packed_zip
from test_io_contract import write_tree

from aionix.errors import FileError
from aionix.io import EvalIO, FileType
from aionix.store.nar import nar_hash
from aionix.store.paths import source_path
from io_backends import Archive, Executable, LocalDisk, Memory, Symlink
from io_backends.memory import Node

pytestmark = pytest.mark.anyio

TREE: dict[str, Node] = {
    "src": {
        "default.nix": "{ }: ./builder.sh\n",
        "builder.sh": Executable("#!/bin/sh\necho done > $out\n"),
        "empty": "",
        "none": {},
        "data": {"large": bytes(range(256)) * 5000, "link": Symlink("../default.nix")},
        "out": Symlink("/nowhere"),
        "Zed": "upper case sorts first",
        "ünïcode & spaces": "é",
    }
}
PATH = "/nix/store/j2zw868hds3sjp85gjk9pk7hq2wc64jf-src"


class Served(EvalIO):
    """Files of an HTTP server that tells of each path with a method of its own."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def read(self, path: str) -> bytes:
        return await self._ask("READ", path)

    async def read_dir(self, path: str) -> dict[str, FileType]:
        answer = json.loads(await self._ask("LIST", path))
        return {name: FileType(kind) for name, kind in answer.items()}

    async def file_type(self, path: str) -> FileType:
        return FileType((await self._ask("TYPE", path)).decode())

    async def read_link(self, path: str) -> str:
        return (await self._ask("LINK", path)).decode()

    async def is_executable(self, path: str) -> bool:
        return await self._ask("MODE", path) == b"x"

    async def _ask(self, method: str, path: str) -> bytes:
        return await anyio.to_thread.run_sync(self._request, method, path)

    def _request(self, method: str, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, quote(path))
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status != 200:
            code = int(body)
            raise OSError(code, os.strerror(code), path)
        return body


async def asked(method: str, path: str) -> bytes:
    io = Memory(TREE)
    if method == "READ":
        return await io.read(path)
    if method == "LIST":
        return json.dumps({name: kind.value for name, kind in (await io.read_dir(path)).items()}).encode()
    if method == "TYPE":
        return (await io.file_type(path)).value.encode()
    if method == "LINK":
        return (await io.read_link(path)).encode()
    return b"x" if await io.is_executable(path) else b""


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def answer(self) -> None:
        try:
            status, body = 200, anyio.run(asked, self.command, unquote(self.path))
        except OSError as error:
            status, body = 404, str(error.errno).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_READ = do_LIST = do_TYPE = do_LINK = do_MODE = answer


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


async def test_one_tree_has_one_source_path_wherever_it_is_served_from(tmp_path: Path, port: int) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    write_tree(disk, TREE)
    packed = tmp_path / "it.tar.xz"
    packed.write_bytes(packed_tar(TREE, "w:xz"))
    backends = {
        "memory": Memory(TREE),
        "disk": LocalDisk(disk),
        "tar": Archive(packed),
        "zip": Archive(packed_zip(TREE)),
        "http": Served(port),
    }
    paths = {name: source_path("src", await nar_hash(io, "/src")) for name, io in backends.items()}
    assert paths == dict.fromkeys(backends, PATH)


async def test_what_a_server_does_not_have_is_told_as_nix_tells_it(port: int) -> None:
    with pytest.raises(FileError, match=r"^path '/src/no' does not exist$"):
        await nar_hash(Served(port), "/src/no")
