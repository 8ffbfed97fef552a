"""The tests' own HTTP server does what the tests of backends take for granted."""

from __future__ import annotations

import httpx2
import pytest
from servers import Files, Reply, serve, serving_in_thread

pytestmark = pytest.mark.anyio


async def test_it_counts_and_keeps_connections() -> None:
    async with serve(Files({"a": "x", "d": {"b": "y"}})) as server, httpx2.AsyncClient() as client:
        for path, status in (("/a", 200), ("/a", 200), ("/d", 301), ("/d/", 403), ("/no", 404), ("/a/no", 404)):
            assert (await client.get(server.url + path)).status_code == status
        assert server.counts == {"/a": 2, "/d": 1, "/d/": 1, "/no": 1, "/a/no": 1}
        assert server.connections == 1
    assert server.open_connections == 0


async def test_it_knows_ranges_and_conditions() -> None:
    async with serve(Files({"a": "0123456789"})) as server, httpx2.AsyncClient() as client:
        url = server.url + "/a"
        tag = (await client.get(url)).headers["etag"]
        assert (await client.get(url, headers={"if-none-match": tag})).status_code == 304
        part = await client.get(url, headers={"range": "bytes=3-5", "if-range": tag})
        assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"345", "bytes 3-5/10")
        assert (await client.get(url, headers={"range": "bytes=3-5", "if-range": '"other"'})).status_code == 200


async def test_it_lies_about_lengths() -> None:
    reply = Reply(b"x", headers={"content-length": "9"})
    async with serve(lambda _: reply) as server, httpx2.AsyncClient() as client:
        with pytest.raises(httpx2.RemoteProtocolError):
            await client.get(server.url)


def test_it_runs_beside_clients_that_block() -> None:
    with serving_in_thread(Files({"a": "x"}), delay=0.01) as server:
        assert httpx2.get(server.url + "/a").content == b"x"
        assert server.counts == {"/a": 1}
