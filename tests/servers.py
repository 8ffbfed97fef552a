"""A small HTTP/1.1 server on loopback, for tests: it counts, it delays, and it misbehaves on demand.

    async with serve(Files({"a.nix": "1 + 1"})) as server:
        server.delay = 0.05                       # seconds before each answer
        await client.get(server.url + "/a.nix")
        assert server.counts == {"/a.nix": 1}

It runs on the event loop of the test, asyncio or trio; `serving_in_thread` runs it on one of its own, for
clients that block or are measured. A handler is a function, or an `async` one, from a `Request` to a `Reply`:

    hang       async def handler(request): await anyio.sleep_forever()
    truncate   Reply(b"short", headers={"content-length": "1000"})     the connection is closed after it
    garbage    Reply(b"not HTTP", raw=True)
    endless    Reply(async_generator_of_bytes)                         chunked
"""

from __future__ import annotations

import hashlib
import html
import inspect
import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Literal
from urllib.parse import quote, unquote_to_bytes

import anyio
import anyio.abc
import anyio.from_thread
from anyio.streams.buffered import BufferedByteReceiveStream

from io_backends import Executable, Symlink
from io_backends.memory import Node

MAX_HEAD = 1 << 16


@dataclass(frozen=True)
class Request:
    """What was asked. `path` is decoded, without the query; header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return unquote_to_bytes(self.target.partition("?")[0]).decode("utf-8", "surrogateescape")

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass
class Reply:
    """An answer. A `content-length` in `headers` is sent as it is, true or not; `raw`: the body is all."""

    body: bytes | AsyncGenerator[bytes] = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bool = False


Handler = Callable[[Request], Reply | Awaitable[Reply]]


@dataclass
class Server:
    """What a running server has seen."""

    handler: Handler
    url: str
    delay: float = 0.0
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    open_connections: int = 0
    in_progress: int = 0
    most_in_progress: int = 0

    @property
    def counts(self) -> Counter[str]:
        """How often each path was asked for."""
        return Counter(request.path for request in self.requests)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def all_gone(self) -> None:
        """Waits until no connection is open."""
        while self.open_connections:  # noqa: ASYNC110
            await anyio.sleep(0.001)

    async def converse(self, stream: anyio.abc.ByteStream) -> None:
        """Answers the requests of one connection, one after the other."""
        self.connections += 1
        self.open_connections += 1
        try:
            async with stream:
                buffered = BufferedByteReceiveStream(stream)
                while await self._answer_one(buffered, stream):
                    pass
        except (anyio.BrokenResourceError, anyio.EndOfStream, anyio.IncompleteRead):
            pass  # the client has gone
        finally:
            self.open_connections -= 1

    async def _answer_one(
        self, receive: BufferedByteReceiveStream, send: anyio.abc.ByteSendStream
    ) -> bool:
        request = await _received(receive)
        self.requests.append(request)
        self.in_progress += 1
        self.most_in_progress = max(self.most_in_progress, self.in_progress)
        try:
            if self.delay:
                await anyio.sleep(self.delay)
            reply = self.handler(request)
            return await _sent(send, request, await reply if inspect.isawaitable(reply) else reply)
        finally:
            self.in_progress -= 1


@asynccontextmanager
async def serve(handler: Handler, *, host: str = "127.0.0.1", delay: float = 0.0) -> AsyncIterator[Server]:
    """A server on a free port, until the block ends."""
    async with await anyio.create_tcp_listener(local_host=host) as listener, anyio.create_task_group() as group:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        server = Server(handler, f"http://{host}:{port}", delay)
        group.start_soon(listener.serve, server.converse)
        try:
            yield server
        finally:
            group.cancel_scope.cancel()


@contextmanager
def serving_in_thread(handler: Handler, *, delay: float = 0.0) -> Iterator[Server]:
    """`serve` on an event loop of its own, in a thread."""
    with (
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serve(handler, delay=delay)) as server,
    ):
        yield server


async def _received(stream: BufferedByteReceiveStream) -> Request:
    head = (await stream.receive_until(b"\r\n\r\n", MAX_HEAD)).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    pairs = (line.partition(":") for line in head[1:])
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    length = int(headers.get("content-length", "0"))
    return Request(method, target, headers, await stream.receive_exactly(length) if length else b"")


async def _sent(stream: anyio.abc.ByteSendStream, request: Request, reply: Reply) -> bool:
    """Sends a reply; may another request follow?"""
    if reply.raw:
        assert isinstance(reply.body, bytes)
        await stream.send(reply.body)
        return False
    headers = {name.lower(): value for name, value in reply.headers.items()}
    if isinstance(reply.body, bytes):
        headers.setdefault("content-length", str(len(reply.body)))
    else:
        headers["transfer-encoding"] = "chunked"
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    if request.method == "HEAD" or reply.status in (204, 304):
        await stream.send(head)
    elif isinstance(reply.body, bytes):
        await stream.send(head + reply.body)
        return headers["content-length"] == str(len(reply.body)) and headers.get("connection") != "close"
    else:
        await stream.send(head)
        async with aclosing(reply.body) as pieces:
            async for piece in pieces:
                await stream.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        await stream.send(b"0\r\n\r\n")
    return headers.get("connection") != "close"


Listing = Literal["none", "nginx", "apache", "python", "json"]


class Files:
    """Serves a tree of `Memory`, as a file server does: ETag, Last-Modified, ranges, conditions.

    `/sub` is redirected to `/sub/`, where `listing` says in whose style it is listed (`none`: 403). Links
    are followed within the tree, as one that serves a disk does. The tree may be changed meanwhile.
    """

    def __init__(
        self, tree: Mapping[str, Node], *, listing: Listing = "none", prefix: str = "", ranges: bool = True
    ) -> None:
        self.tree = tree
        self.listing = listing
        self.prefix = prefix
        self.ranges = ranges

    def __call__(self, request: Request) -> Reply:
        inside = request.path.removeprefix(self.prefix) if request.path.startswith(self.prefix) else None
        node = None if inside is None else self.find(inside)
        if node is None or inside is None:
            return Reply(b"<h1>Not Found</h1>", 404)
        if isinstance(node, Mapping):
            return self._directory(request, node)
        if request.path.endswith("/"):
            return Reply(b"<h1>Not Found</h1>", 404)
        return with_conditions(request, content(node), ranges=self.ranges)

    def find(self, path: str) -> Node | None:
        node: Node | None = self.tree
        for part in path.split("/"):
            if part:
                node = node.get(part) if isinstance(node, Mapping) else None
        return node

    def _directory(self, request: Request, node: Mapping[str, Node]) -> Reply:
        if not request.path.endswith("/"):
            path, _, query = request.target.partition("?")
            return Reply(status=301, headers={"location": path + "/" + ("?" + query if query else "")})
        if self.listing == "none":
            return Reply(b"<h1>Forbidden</h1>", 403)
        if self.listing == "json":
            return Reply(_json_listing(node), headers={"content-type": "application/json"})
        page = _html_listing(node, self.listing, request.path == (self.prefix or "") + "/")
        return Reply(page, headers={"content-type": "text/html; charset=utf-8"})


def content(node: str | bytes | Executable | Symlink) -> bytes:
    assert not isinstance(node, Symlink), "a file server has followed it"
    text = node.content if isinstance(node, Executable) else node
    return text.encode() if isinstance(text, str) else text


def with_conditions(request: Request, body: bytes, *, ranges: bool = True) -> Reply:
    """200, 206, 304 or 416 for `body`, as its ETag and the request's conditions have it."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    headers = {"etag": tag, "last-modified": formatdate(1_700_000_000, usegmt=True)}
    if request.headers.get("if-none-match") == tag:
        return Reply(b"", 304, headers)
    if not ranges:
        return Reply(body, 200, headers)
    headers["accept-ranges"] = "bytes"
    wanted = request.headers.get("range", "")
    if not wanted.startswith("bytes=") or request.headers.get("if-range", tag) != tag:
        return Reply(body, 200, headers)
    first, _, last = wanted.removeprefix("bytes=").partition("-")
    start, end = int(first), min(int(last or len(body)), len(body) - 1)
    if start >= len(body):
        return Reply(b"", 416, {"content-range": f"bytes */{len(body)}"})
    return Reply(body[start : end + 1], 206, headers | {"content-range": f"bytes {start}-{end}/{len(body)}"})


def _json_listing(directory: Mapping[str, Node]) -> bytes:
    """As nginx's `autoindex_format json`."""
    entries: list[dict[str, object]] = []
    for name, node in sorted(directory.items()):
        entry: dict[str, object] = {"name": name, "mtime": "Tue, 14 Nov 2023 22:13:20 GMT"}
        if isinstance(node, Mapping):
            entries.append(entry | {"type": "directory"})
        else:
            entries.append(entry | {"type": "file", "size": len(content(node))})
    return json.dumps(entries).encode()


def _html_listing(directory: Mapping[str, Node], style: str, at_root: bool) -> bytes:
    """As nginx, Apache (with FancyIndexing, as a table) or Python's http.server list a directory."""
    parent = '<a href="../">../</a>'
    row = '<a href="{0}">{1}</a>   14-Nov-2023 22:13   -'
    if style == "apache":
        parent = '<tr><td><a href="?C=N;O=D">Name</a></td></tr><tr><td><a href="/">Parent Directory</a></td></tr>'
        row = '<tr><td><img src="/icons/x.gif" alt="[   ]"></td><td><a href="{0}">{2}</a></td></tr>'
    elif style == "python":
        row = '<li><a href="{0}">{1}</a></li>'
    lines = [] if at_root or style == "python" else [parent]
    for name, node in sorted(directory.items()):
        shown = name + "/" * isinstance(node, Mapping)
        href = quote(shown.encode("utf-8", "surrogateescape"), safe="/")
        text = html.escape(shown.encode("utf-8", "replace").decode())
        lines.append(row.format(html.escape(href), text, text[:20]))
    return ("<!DOCTYPE HTML><html><body><h1>Index</h1><pre>" + "\n".join(lines) + "</pre></body></html>").encode()
