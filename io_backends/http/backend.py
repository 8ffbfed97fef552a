"""Http: the EvalIO over what a layout finds on a server."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from aionix.io import MAX_PATH, FileReader, FileType
from io_backends.http.client import LARGE, Client
from io_backends.http.digests import Checked, check
from io_backends.http.nodes import Directory, File, Layout, Link, Node
from io_backends.http.plain import Plain
from io_backends.http.ranges import open_part
from io_backends.http.wire import Auth, Headers, Wire
from io_backends.indexed import Linked, fail

if TYPE_CHECKING:
    import httpx2


class Http(Linked[Node]):
    """The files below `url` on an HTTP or HTTPS server, whose root is `/`.

        async with Http("https://example.org/configs") as io:
            value = await aionix.evaluate_file("/site.nix", io=io)

    `layout` says how the server tells what it has: `Plain()` (it does not), `Autoindex()`, `Manifest()`,
    `GitHub(...)`, `GitLab(...)`, or one of your own. Connections are kept until the block ends; at most
    `connections` requests are under way to one host (25, as in Nix).

    What was seen is kept in memory, up to `cache_size` bytes, and not asked for again; with `max_age`
    (seconds), what is older is revalidated. What several want at the same time is requested once.

    `headers` and `auth` (a name and a password, or an `httpx2.Auth`; or in the URL) go to the host of `url`
    only, and are in no error and no `repr`. Redirects are followed, five times at most, on one host and port,
    from http: to https: but not back, and to `redirect_hosts` ("host" or "host:port"), which are trusted to
    be what their name says; to nowhere else.

    A request that has no answer within `timeout` seconds (or gets less than 1 KiB a second after these),
    breaks off, or is answered by 429, 500, 502, 503 or 504 is made again, `attempts` times in all, after
    growing pauses with jitter, or after what `Retry-After` says if that is at most `patience` seconds; once
    these are over no other attempt begins.

    Failures are OSErrors: ENOENT for 404 and 410; EACCES for 401, 403 and a redirect that is not allowed;
    ELOOP for too many of them; ETIMEDOUT, ECONNREFUSED, ECONNRESET; ESTALE for a file that changed while it
    was read, or is not what its listing says; EFBIG for a file (decompressed) of more than `max_file_size`
    bytes or a listing of more than `max_listing_size`; EPROTO for a listing of more than `max_entries`, or
    one that is not understood; ENOTSUP for what the layout cannot know; EIO and EPROTO else. `open` reads
    large files in ranges, without a bound.

    `transport` is an httpx2 transport of yours, which stays open. Raises ValueError for a `url` that has a
    query, or is not of HTTP.
    """

    def __init__(
        self,
        url: str,
        layout: Layout | None = None,
        *,
        headers: Headers | None = None,
        auth: Auth | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        redirect_hosts: tuple[str, ...] = (),
        connections: int = 25,
        timeout: float = 30.0,
        attempts: int = 4,
        patience: float = 60.0,
        max_age: float | None = None,
        max_file_size: int = 1 << 30,
        max_listing_size: int = 1 << 26,
        max_entries: int = 1_000_000,
        cache_size: int = 1 << 28,
    ) -> None:
        self._wire = Wire(
            url,
            headers=headers,
            auth=auth,
            transport=transport,
            redirect_hosts=redirect_hosts,
            connections=connections,
            timeout=timeout,
            attempts=attempts,
            patience=patience,
        )
        self._client = Client(
            self._wire,
            max_age=max_age,
            max_entries=max_entries,
            max_listing_size=max_listing_size,
            max_file_size=max_file_size,
            cache_size=cache_size,
        )
        self._layout = layout or Plain()
        self._tree = self._layout.tree(self._client)

    def __repr__(self) -> str:
        return f"Http({self._wire.name!r}, {self._layout!r})"

    async def __aenter__(self) -> Self:
        await self._wire.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._wire.close()

    async def read(self, path: str) -> bytes:
        with _about(path):
            return await self._content(await self._file(path))

    async def read_dir(self, path: str) -> dict[str, FileType]:
        with _about(path):
            node = await self._follow(path)
            if not isinstance(node, Directory):
                fail(errno.ENOTDIR, path)
            return {name: _kind(entry) for name, entry in (await node.entries()).items()}

    async def file_type(self, path: str) -> FileType:
        with _about(path):
            return _kind(await self._at(path))

    async def read_link(self, path: str) -> str:
        with _about(path):
            return await super().read_link(path)

    async def is_executable(self, path: str) -> bool:
        with _about(path):
            node = await self._at(path)
            return isinstance(node, File) and node.executable

    @asynccontextmanager
    async def open(self, path: str) -> AsyncIterator[FileReader]:
        with _about(path):
            file = await self._file(path)
            is_large = await self._is_large(file)
        if is_large:
            with _about(path):
                reader = await open_part(self._client, file, 0)
            yield _Reader(Checked(self._client, file, reader), path)
        else:
            async with super().open(path) as small:
                yield small

    @asynccontextmanager
    async def open_range(self, path: str, start: int, size: int) -> AsyncIterator[FileReader]:
        with _about(path):
            file = await self._file(path)
            is_large = await self._is_large(file)
        if is_large:
            with _about(path):
                reader = await open_part(self._client, file, start, size)
            yield _Reader(reader, path)
        else:
            async with super().open_range(path, start, size) as part:
                yield part

    @property
    def read_ahead(self) -> bool:
        return True

    async def resolve(self, path: str) -> str:
        return await super().resolve(path) if self._tree.links else path

    async def _find(self, path: str) -> Node:
        return await self._tree.find(path)

    async def _target(self, node: Node) -> str | None:
        if not isinstance(node, Link):
            return None
        return node.target if isinstance(node.target, str) else await self._read_target(node.target)

    async def _read_target(self, file: File) -> str:
        target = await self._content(file)
        if not 0 < len(target) <= MAX_PATH or b"\0" in target:
            raise self._client.error(errno.EINVAL, "the target of a link is not allowed")
        return target.decode("utf-8", "surrogateescape")

    async def _file(self, path: str) -> File:
        node = await self._follow(path)
        if isinstance(node, Directory):
            fail(errno.EISDIR, path)
        if isinstance(node, Link):  # only if it appeared while it was followed
            fail(errno.ELOOP, path)
        return node

    async def _content(self, file: File) -> bytes:
        content = await self._client.content(file.url, file.accept)
        await check(self._client, file, content)
        return content

    async def _is_large(self, file: File) -> bool:
        if file.size is not None:
            return file.size > LARGE
        seen = await self._client.look(file.url, file.accept)
        return seen.is_file and seen.body is None


class _Reader:
    """A FileReader whose errors are about `path`."""

    def __init__(self, reader: FileReader, path: str) -> None:
        self._reader = reader
        self._path = path
        self.size = reader.size

    async def read(self, count: int) -> bytes:
        with _about(self._path):
            return await self._reader.read(count)


@contextmanager
def _about(path: str) -> Iterator[None]:
    """An OSError that names no path is about `path`."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = path
        raise


def _kind(node: Node) -> FileType:
    if isinstance(node, Directory):
        return FileType.DIRECTORY
    return FileType.SYMLINK if isinstance(node, Link) else FileType.REGULAR
