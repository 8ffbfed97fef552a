"""Every layout of Http keeps the contract, with as few requests as it can."""

from __future__ import annotations

import errno
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Protocol
from urllib.parse import parse_qs

import anyio.to_thread
import pytest
from servers import Files, Handler, Listing, Reply, Request, content, serve
from test_io_contract import write_tree

import aionix
from aionix.io import EvalIO, FileType
from aionix.store.nar import nar_hash
from io_backends import Executable, Http, Memory, Symlink, contract
from io_backends.http import Autoindex, Client, File, GitHub, GitLab, Layout, Manifest, Plain, make_manifest
from io_backends.http.nodes import Node as AnyNode
from io_backends.http.nodes import Unlisted, Walk, grown
from io_backends.memory import Node

pytestmark = pytest.mark.anyio

Tree = Mapping[str, Node]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def flat(tree: Tree, above: str = "") -> dict[str, Node]:
    """Every path of a tree, and what is there."""
    found: dict[str, Node] = {}
    for name, node in tree.items():
        found[above + name] = node
        if isinstance(node, Mapping):
            found |= flat(node, f"{above}{name}/")
    return found


def blob(node: Node) -> bytes:
    assert not isinstance(node, Mapping)
    return node.target.encode() if isinstance(node, Symlink) else content(node)


def git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0%s" % (len(data), data)).hexdigest()


def git_entry(path: str, node: Node) -> dict[str, object]:
    if isinstance(node, Mapping):
        return {"path": path, "mode": "040000", "type": "tree"}
    mode = "120000" if isinstance(node, Symlink) else "100755" if isinstance(node, Executable) else "100644"
    return {"path": path, "mode": mode, "type": "blob"}


class Forge:
    """What a forge keeps: the one commit COMMIT, on the branch `main`."""

    def __init__(self, tree: Tree) -> None:
        self.nodes = flat(tree)
        self.blobs = {git_hash(blob(node)): blob(node) for node in self.nodes.values() if not isinstance(node, Mapping)}

    def hash_of(self, path: str) -> str:
        node = self.nodes[path]
        return hashlib.sha1(path.encode()).hexdigest() if isinstance(node, Mapping) else git_hash(blob(node))

    def file(self, path: str) -> Reply:
        node = self.nodes.get(path)
        return Reply(status=404) if node is None or isinstance(node, Mapping) else Reply(blob(node))


class GitHubForge(Forge):
    """Its API at `/`, raw files below `/raw`; `truncated`: the recursive listing is cut short."""

    truncated = False

    def __call__(self, request: Request) -> Reply:
        if request.path == "/repos/o/r/commits/main":
            assert request.headers["accept"] == "application/vnd.github.sha"
            return Reply(COMMIT.encode())
        if match := re.fullmatch("/repos/o/r/git/trees/([0-9a-f]{40})", request.path):
            return self.listing(match[1], recursive="recursive=1" in request.query)
        if match := re.fullmatch("/repos/o/r/git/blobs/([0-9a-f]{40})", request.path):
            assert request.headers["accept"] == "application/vnd.github.raw+json"
            return Reply(self.blobs[match[1]])
        prefix = f"/raw/o/r/{COMMIT}/"
        return self.file(request.path.removeprefix(prefix)) if request.path.startswith(prefix) else Reply(status=404)

    def listing(self, sha: str, *, recursive: bool) -> Reply:
        above = {COMMIT: ""} | {self.hash_of(path): f"{path}/" for path, node in self.nodes.items() if isinstance(node, Mapping)}
        paths = [path for path in self.nodes if path.startswith(above[sha])]
        if not recursive:
            paths = [path for path in paths if "/" not in path.removeprefix(above[sha])]
        if recursive and self.truncated:
            paths = paths[:1]
        entries = [git_entry(path.removeprefix(above[sha]), self.nodes[path]) | {"sha": self.hash_of(path)} for path in paths]
        document = {"sha": sha, "tree": entries, "truncated": recursive and self.truncated, "url": "..."}
        return Reply(json.dumps(document).encode())


class GitLabForge(Forge):
    def __call__(self, request: Request) -> Reply:
        root = "/api/v4/projects/g%2Fp/repository/"
        if not request.target.startswith(root):
            return Reply(status=404)
        rest = request.target.removeprefix(root)
        if rest == "commits/main":
            return Reply(json.dumps({"id": COMMIT, "title": "x"}).encode())
        if rest.startswith("tree?"):
            return self.page(request)
        match = re.fullmatch(r"files/([^/]*)/raw\?ref=" + COMMIT, rest)
        return self.file(Request("GET", match[1], {}).path) if match else Reply(status=404)

    def page(self, request: Request) -> Reply:
        query = {name: values[0] for name, values in parse_qs(request.query).items()}
        assert (query["ref"], query["recursive"], query["pagination"]) == (COMMIT, "true", "keyset")
        start, size = int(query.get("page_token", "0")), 10
        paths = list(self.nodes)
        entries = [
            git_entry(path, self.nodes[path]) | {"id": self.hash_of(path), "name": path.rpartition("/")[2]}
            for path in paths[start : start + size]
        ]
        more = f'<{request.target.partition("&page_token")[0]}&page_token={start + size}>; rel="next"'
        return Reply(json.dumps(entries).encode(), headers={"link": more} if start + size < len(paths) else {})


class Serving(Protocol):
    """Serves a tree, and reads it."""

    async def __call__(self, stack: AsyncExitStack, tree: Tree, directory: Path) -> EvalIO: ...


async def opened(stack: AsyncExitStack, handler: Handler, layout: Layout, below: str = "") -> Http:
    server = await stack.enter_async_context(serve(handler))
    return await stack.enter_async_context(Http(server.url + below, layout))


async def plain(stack: AsyncExitStack, tree: Tree, directory: Path) -> EvalIO:
    return await opened(stack, Files(tree), Plain())


def autoindex(listing: Listing) -> Serving:
    async def listed(stack: AsyncExitStack, tree: Tree, directory: Path) -> EvalIO:
        files = Files(tree, listing=listing, prefix="/some where")
        return await opened(stack, files, Autoindex(), "/some%20where/")

    return listed


def manifest_of(tree: Tree, directory: Path) -> bytes:
    write_tree(directory, tree)
    return make_manifest(directory)


async def manifest(stack: AsyncExitStack, tree: Tree, directory: Path) -> EvalIO:
    document = await anyio.to_thread.run_sync(manifest_of, tree, directory)
    with_manifest = {**tree, "manifest.json": document}
    return await opened(stack, Files(with_manifest), Manifest())


async def github(stack: AsyncExitStack, tree: Tree, directory: Path) -> EvalIO:
    server = await stack.enter_async_context(serve(GitHubForge(tree)))
    return await stack.enter_async_context(Http(server.url, GitHub("o", "r", "main", raw=server.url + "/raw")))


async def github_by_api_alone(stack: AsyncExitStack, tree: Tree, directory: Path) -> EvalIO:
    return await opened(stack, GitHubForge(tree), GitHub("o", "r", COMMIT, raw=None))


async def github_cut_short(stack: AsyncExitStack, tree: Tree, directory: Path) -> EvalIO:
    forge = GitHubForge(tree)
    forge.truncated = True
    return await opened(stack, forge, GitHub("o", "r", COMMIT, raw=None))


async def gitlab(stack: AsyncExitStack, tree: Tree, directory: Path) -> EvalIO:
    return await opened(stack, GitLabForge(tree), GitLab("g/p", "main"), "/api/v4")


FLAT = frozenset({"links", "absolute links", "executables"})
#: JSON of a forge has no names that are not UTF-8, and git no empty directories.
GIT = frozenset({"byte names", "empty directories"})

SERVED: list[tuple[Serving, frozenset[str]]] = [
    (plain, FLAT | {"listings", "empty directories"}),
    (autoindex("nginx"), FLAT),
    (autoindex("apache"), FLAT),
    (autoindex("python"), FLAT),
    (autoindex("json"), FLAT),
    (manifest, frozenset()),
    (github, GIT),
    (github_by_api_alone, GIT),
    (github_cut_short, GIT),
    (gitlab, GIT),
]


@pytest.mark.parametrize(
    ("serving", "check"),
    [
        pytest.param(serving, check, id=f"{serving.__qualname__.partition('.')[0]}{number}-{check}")
        for number, (serving, without) in enumerate(SERVED)
        for check in contract.checks(without=without)
    ],
)
async def test_layouts_keep_the_contract(serving: Serving, check: contract.Check, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        await check(lambda tree: serving(stack, tree, tmp_path))


TREE: Tree = {
    "default.nix": "import ./lib + (import ./lib/more.nix).y",
    "lib": {"default.nix": "40", "more.nix": "{ y = 2; }", "unused.nix": "throw 1"},
    "other": {"file": "x" * 300_000},
}


@pytest.mark.parametrize(
    ("layout", "listing", "asked"),
    [
        (Plain(), "none", ["/default.nix", "/lib", "/lib/default.nix", "/lib/more.nix"]),
        (Autoindex(), "nginx", ["/", "/default.nix", "/lib/", "/lib/default.nix", "/lib/more.nix"]),
        (Autoindex(), "json", ["/", "/default.nix", "/lib/", "/lib/default.nix", "/lib/more.nix"]),
    ],
    ids=str,
)
async def test_an_evaluation_asks_for_each_file_once(layout: Layout, listing: Listing, asked: list[str]) -> None:
    async with serve(Files(TREE, listing=listing)) as server, Http(server.url, layout) as io:
        assert str(await aionix.evaluate_file("/default.nix", io=io)) == "42"
        assert server.counts == dict.fromkeys(asked, 1)
        assert server.connections <= 2  # one more, where a file is fetched early


@pytest.mark.parametrize("serving", [autoindex("nginx"), manifest, github, github_cut_short, gitlab])
async def test_the_same_tree_has_the_same_hash(serving: Serving, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        assert await nar_hash(await serving(stack, TREE, tmp_path), "/") == await nar_hash(Memory(TREE), "/")


async def test_one_listing_tells_the_kinds_of_a_whole_repository() -> None:
    async with serve(GitHubForge(TREE)) as server, Http(server.url, GitHub("o", "r", "main", raw=server.url + "/raw")) as io:
        assert await io.file_type("/lib/more.nix") is FileType.REGULAR
        assert await io.read_dir("/other") == {"file": FileType.REGULAR}
        assert not await io.path_exists("/other/none")
        assert await io.read("/lib/default.nix") == b"40"
        listed = {"/repos/o/r/commits/main": 1, f"/repos/o/r/git/trees/{COMMIT}": 1}
        assert server.counts == listed | {f"/raw/o/r/{COMMIT}/lib/default.nix": 1}


async def test_a_page_of_gitlab_is_followed_by_the_next() -> None:
    tree = {f"f{number}": str(number) for number in range(35)}
    async with serve(GitLabForge(tree)) as server, Http(server.url + "/api/v4", GitLab("g/p", "main")) as io:
        assert len(await io.read_dir("/")) == 35
        assert server.counts["/api/v4/projects/g/p/repository/tree"] == 4


class Index:
    """A layout of one's own: a text with a path in each line."""

    def tree(self, client: Client) -> Walk:
        async def load() -> Mapping[str, AnyNode]:
            listing = await client.document(client.url_of("/index.txt"))
            paths = listing.body.decode().split()
            return grown([(path, File(client.url_of("/" + path))) for path in paths], 1000).names

        return Walk(Unlisted(load, client.max_age), links=False)


async def test_a_layout_may_be_ones_own() -> None:
    tree = {**TREE, "index.txt": "default.nix lib/default.nix lib/more.nix"}
    async with serve(Files(tree)) as server, Http(server.url, Index(), max_age=0) as io:
        assert str(await aionix.evaluate_file("/default.nix", io=io)) == "42"
        assert set(await io.read_dir("/")) == {"default.nix", "lib"}
        tree["index.txt"] = "new"
        assert set(await io.read_dir("/")) == {"new"}


@contextmanager
def python_server(directory: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(directory))) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("layout", [Plain(), Autoindex()], ids=str)
async def test_the_server_of_the_standard_library_is_understood(layout: Layout, tmp_path: Path) -> None:
    write_tree(tmp_path, {**TREE, "a b%c": {"ü": "x"}, "default.nix": "import ./lib"})
    with python_server(tmp_path) as url:
        async with Http(url, layout) as io:
            assert str(await aionix.evaluate_file("/default.nix", io=io)) == "40"
            assert await io.read("/a b%c/ü") == b"x"
            assert await io.file_type("/other") is FileType.DIRECTORY
            assert not await io.path_exists("/other/none")
            if isinstance(layout, Autoindex):
                assert set(await io.read_dir("/")) == {"a b%c", "default.nix", "lib", "other"}


async def test_plain_servers_are_not_listed_and_say_so() -> None:
    async with serve(Files(TREE)) as server, Http(server.url) as io:
        with pytest.raises(OSError, match="does not list directories") as caught:
            await io.read_dir("/lib")
        assert (caught.value.errno, caught.value.filename) == (errno.ENOTSUP, "/lib")


async def test_a_directory_without_redirect_is_seen_by_its_default_nix() -> None:
    files = Files({"lib/default.nix": "1", "lib/x": "2"})  # an object store: names with slashes, no directories
    files.find = lambda path: files.tree.get(path[1:])  # type: ignore[method-assign]
    async with serve(files) as server, Http(server.url) as io:
        assert await io.file_type("/lib") is FileType.DIRECTORY
        assert str(await aionix.evaluate("import /lib", io=io)) == "1"
        assert server.counts == {"/lib": 1, "/lib/default.nix": 1}
        assert not await io.path_exists("/none")
        assert server.counts["/none/default.nix"] == 1
    async with serve(files) as server, Http(server.url, Plain(index=None)) as io:
        assert not await io.path_exists("/lib")
        assert server.counts == {"/lib": 1}


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("<a href='q%27s%20x'>q</a> <A class=x HREF=b/>", {"q's x": "regular", "b": "directory"}),
        ('<a href="../">..</a><a href="?C=N">n</a><a href="#x">x</a><a href="/">root</a><a href="/dir">me</a>', {}),
        ('<a href="/dir/abs">a</a><a href="http://other.example/dir/x">o</a><a href="//dir/y">p</a>', {"abs": "regular"}),
        ('<a href="a/b">deep</a><a href="%2e%2e/">up</a><a href="x%2fy">slash</a><a href="n%00">nul</a>', {}),
        ('<a href="a&amp;b">amp</a><a href="%C3%BC">u</a><a href="&#99;">c</a>', {"a&b": "regular", "ü": "regular", "c": "regular"}),
        ('<a href="javascript:x">j</a><a href="mailto:a@b">m</a><a name=x>n</a><a href="http://[">b</a><a href=>', {}),
    ],
)
async def test_only_links_to_what_is_directly_below_are_entries(page: str, names: dict[str, str]) -> None:
    async with serve(lambda _: Reply(page.encode())) as server, Http(server.url + "/dir/", Autoindex()) as io:
        assert {name: kind.value for name, kind in (await io.read_dir("/")).items()} == names
