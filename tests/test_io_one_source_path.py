"""One tree has one value and one source path in every backend, and no server is asked for anything twice."""

from __future__ import annotations

import inspect
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import anyio.to_thread
import asyncssh
import httpx2
import pytest
import test_io_s3
import test_io_sftp
from anyio.from_thread import start_blocking_portal
from caches import PATH, PUBLIC_KEY, cache_of, packed_nar
from moto.server import ThreadedMotoServer
from same_tree import PLAIN, TREE, evaluates_as_in_memory
from servers import Files, Handler, Reply, Request, serve
from test_io_archive import packed_tar, packed_zip
from test_io_contract import Under, write_tree
from test_io_fsspec import in_memory
from test_io_git import bare
from test_io_git_fetch import dulwich_app, served
from test_io_http_layouts import COMMIT, GitHubForge, GitLabForge, manifest_of

import aionix
import io_backends
from aionix.io import EvalIO
from io_backends import (
    S3,
    Archive,
    BinaryCache,
    Cache,
    Fsspec,
    Git,
    Http,
    LocalDisk,
    Memory,
    Mount,
    Nar,
    Overlay,
    Recording,
    Replay,
    Restricted,
    Tracing,
    WritableDisk,
    WritableMemory,
)
from io_backends.http import Autoindex, GitHub, GitLab, Layout, Manifest
from io_backends.memory import Node

pytestmark = pytest.mark.anyio


class Visitor(asyncssh.SFTPServer):
    """Notes which files are opened."""

    opened: list[str] = []  # noqa: RUF012  # of the server that all tests here share

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        self.opened.append(path.decode())
        return super().open(path, pflags, attrs)


@dataclass
class Servers:
    s3: test_io_s3.Server
    sftp: test_io_sftp.Server


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    with start_blocking_portal() as portal:
        sftp = test_io_sftp.Server(portal, tmp_path_factory.mktemp("ssh"), Visitor)
        sftp.start()
        yield Servers(test_io_s3.Server("http://{}:{}".format(*moto.get_host_and_port())), sftp)
        sftp.stop()
    moto.stop()


@dataclass
class Place:
    """A tree, where it may be put, and what a server was asked for meanwhile."""

    tree: dict[str, Node]
    directory: Path
    servers: Servers
    stack: AsyncExitStack
    asked: list[str] = field(default_factory=list)

    @property
    def source(self) -> Mapping[str, Node]:
        source = self.tree["src"]
        assert isinstance(source, Mapping)
        return source

    async def on_disk(self) -> Path:
        await anyio.to_thread.run_sync(write_tree, self.directory, self.tree)
        return self.directory

    async def serve(self, handler: Handler) -> str:
        async def noted(request: Request) -> Reply:
            self.asked.append(f"{request.method} {request.target}")
            reply = handler(request)
            return await reply if inspect.isawaitable(reply) else reply

        return (await self.stack.enter_async_context(serve(noted))).url

    async def http(self, handler: Handler, layout: Layout | None = None, below: str = "") -> Http:
        return await self.stack.enter_async_context(Http(await self.serve(handler) + below, layout))


async def memory(place: Place) -> EvalIO:
    return Memory(place.tree)


async def disk(place: Place) -> EvalIO:
    return LocalDisk(await place.on_disk())


async def writable_disk(place: Place) -> EvalIO:
    return WritableDisk(await place.on_disk())


async def writable_memory(place: Place) -> EvalIO:
    io = WritableMemory()
    io.tree.update(place.tree)
    return io


async def tar(place: Place) -> EvalIO:
    return Archive(packed_tar(place.tree, "w:zst"))


async def zip(place: Place) -> EvalIO:
    return Archive(packed_zip(place.tree))


async def served_tar(place: Place) -> EvalIO:
    return Archive("/it.tar.gz", io=await place.http(Files({"it.tar.gz": packed_tar(place.tree)})))


async def nar(place: Place) -> EvalIO:
    return Nar(await packed_nar(place.tree))


async def binary_cache(place: Place) -> EvalIO:
    return await cache_at(place, await cache_of(place.tree, "zstd"))


async def listed_binary_cache(place: Place) -> EvalIO:
    return await cache_at(place, await cache_of(place.tree), use_listings=True)


async def cache_at(place: Place, cache: dict[str, Node], *, use_listings: bool = False) -> EvalIO:
    http = await place.http(Files(cache))
    store = BinaryCache(http, trusted_public_keys=[PUBLIC_KEY], use_listings=use_listings)
    return Under(await place.stack.enter_async_context(store), PATH)


async def git(place: Place) -> EvalIO:
    return await place.stack.enter_async_context(Git(bare(place.directory / "it", place.tree)))


async def fetched_git(place: Place) -> EvalIO:
    app = place.stack.enter_context(dulwich_app(bare(place.directory / "it", place.tree)))
    url = place.stack.enter_context(served(app))
    return await place.stack.enter_async_context(await Git.fetch(url, "main"))


async def autoindex(place: Place) -> EvalIO:
    return await place.http(Files(place.tree, listing="nginx"), Autoindex())


async def manifest(place: Place) -> EvalIO:
    document = await anyio.to_thread.run_sync(manifest_of, place.tree, place.directory)
    return await place.http(Files({**place.tree, "manifest.json": document}), Manifest())


async def github(place: Place) -> EvalIO:
    return await place.http(GitHubForge(place.tree), GitHub("o", "r", COMMIT, raw=None))


async def gitlab(place: Place) -> EvalIO:
    return await place.http(GitLabForge(place.tree), GitLab("g/p", "main"), "/api/v4")


async def s3(place: Place) -> EvalIO:
    moto = await place.stack.enter_async_context(httpx2.AsyncClient())

    async def passed_on(request: Request) -> Reply:
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        answer = await moto.request(request.method, place.servers.s3.url + request.target, headers=headers)
        kept = ("etag", "last-modified", "content-type", "content-range", "content-length")
        return Reply(
            answer.content,
            answer.status_code,
            {name: answer.headers[name] for name in kept if name in answer.headers},
        )

    bucket = await anyio.to_thread.run_sync(place.servers.s3.bucket, place.tree)
    url = await place.serve(passed_on)
    keys = test_io_s3.KEYS
    return Cache(
        await place.stack.enter_async_context(S3(bucket, endpoint_url=url, region="us-east-1", **keys))
    )


async def sftp(place: Place) -> EvalIO:
    Visitor.opened = place.asked
    return Cache(await place.stack.enter_async_context(place.servers.sftp.sftp(await place.on_disk())))


async def fsspec_memory(place: Place) -> EvalIO:
    return Fsspec(in_memory(place.tree))


async def fsspec_disk(place: Place) -> EvalIO:
    return Fsspec(f"file://{await place.on_disk()}")


async def mount(place: Place) -> EvalIO:
    above = {name: node for name, node in place.tree.items() if name != "src"}
    return Mount({"/": Memory(above), "/src": Memory(place.source)})


async def overlay(place: Place) -> EvalIO:
    names = sorted(place.source)
    parts = [{name: place.source[name] for name in names[at::2]} for at in (0, 1)]
    return Overlay(Memory({"src": parts[0]}), Memory({**place.tree, "src": parts[1]}))


async def cache(place: Place) -> EvalIO:
    return Cache(Memory(place.tree))


async def kept_cache(place: Place) -> EvalIO:
    """What an earlier process has left; there is nothing else any more."""
    directory = place.directory / "kept"
    await aionix.evaluate_file("/default.nix", io=Cache(Memory(place.tree), directory))
    return Cache(Memory({}), directory)


async def restricted(place: Place) -> EvalIO:
    return Restricted(Memory({**place.tree, "secret": "s"}), deny=["/secret"])


async def replay(place: Place) -> EvalIO:
    recording = Recording(Memory(place.tree))
    await aionix.evaluate_file("/default.nix", io=recording)
    return Replay(recording.dump())


async def tracing(place: Place) -> EvalIO:
    return Tracing(Memory(place.tree))


Opening = Callable[[Place], Awaitable[EvalIO]]
#: What has directories and files, and nothing else.
PLAINLY: list[Opening] = [autoindex, s3, fsspec_memory]
FULLY: list[Opening] = [
    memory,
    disk,
    writable_disk,
    writable_memory,
    tar,
    zip,
    served_tar,
    nar,
    binary_cache,
    listed_binary_cache,
    git,
    fetched_git,
    manifest,
    github,
    gitlab,
    sftp,
    fsspec_disk,
    mount,
    overlay,
    cache,
    kept_cache,
    restricted,
    replay,
    tracing,
]
#: How many requests a tree takes, PLAIN and TREE: one for each of five files (and two links that are blobs), and
#: those that tell what there is. Nothing is asked for twice.
REQUESTS: dict[Opening, tuple[int, int]] = {
    served_tar: (1, 1),
    binary_cache: (2, 2),
    listed_binary_cache: (3, 3),
    manifest: (6, 6),
    github: (6, 8),
    gitlab: (7, 9),
    autoindex: (8, 0),
}
#: The most for media that are asked for kinds one by one. A file that is imported and copied at the same moment
#: is asked for in two ways.
AT_MOST: dict[Opening, tuple[int, int]] = {s3: (20, 0), sftp: (7, 7)}


@pytest.mark.parametrize("opening", FULLY + PLAINLY, ids=lambda opening: str(opening.__name__))
async def test_one_tree_has_one_value_and_one_source_path_and_nothing_is_asked_for_twice(
    opening: Opening, tmp_path: Path, servers: Servers
) -> None:
    for index, tree in enumerate([PLAIN] if opening in PLAINLY else [PLAIN, TREE]):
        directory = tmp_path / str(index)
        await anyio.to_thread.run_sync(directory.mkdir)
        async with AsyncExitStack() as stack:
            place = Place(tree, directory, servers, stack)
            await evaluates_as_in_memory(await opening(place), tree)
        if opening in AT_MOST:
            assert len(place.asked) <= AT_MOST[opening][index]
            assert max(Counter(place.asked).values()) <= 2
        else:
            assert len(set(place.asked)) == len(place.asked) == REQUESTS.get(opening, (0, 0))[index]


def test_no_backend_is_left_out() -> None:
    shown = {name for name in vars(sys.modules[__name__]) if name in io_backends._MODULES}
    no_trees = {"Executable", "Sealed", "Symlink"}
    assert shown | {"Sftp"} == set(io_backends._MODULES) - no_trees
