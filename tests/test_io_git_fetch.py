"""A commit that is fetched over HTTP, from dulwich's server, from git's own, and from ones that misbehave."""

from __future__ import annotations

import base64
import errno
import gc
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import anyio
import pytest
from dulwich.repo import Repo
from dulwich.server import DictBackend
from dulwich.web import make_wsgi_chain
from same_tree import TREE, evaluates_as_in_memory
from test_io_git import bare, commit, packed, tag

from io_backends import Git
from io_backends.git.bounds import check_pack
from io_backends.git.fetch import Fetch

pytestmark = pytest.mark.anyio

Environ = dict[str, object]
Start = Callable[[str, list[tuple[str, str]]], object]
App = Callable[[Environ, Start], Iterable[bytes]]


@contextmanager
def served(app: App) -> Iterator[str]:
    """A WSGI application on loopback, with a thread for each request."""

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:  # clients go away
            pass

    class Silent(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with make_server("127.0.0.1", 0, app, Server, Silent) as server:  # type: ignore[arg-type]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/it"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def dulwich_app(path: Path) -> Iterator[App]:
    with Repo(path) as repo:
        yield one_at_a_time(make_wsgi_chain(DictBackend({"/it": repo})))


def one_at_a_time(app: App) -> App:
    """`app`, which is not made for threads: two that open the same pack leave one of them open."""
    lock = threading.Lock()

    def locked(environ: Environ, start: Start) -> Iterable[bytes]:
        written: list[bytes] = []

        def start_and_keep(status: str, headers: list[tuple[str, str]]) -> object:
            start(status, headers)
            return written.append

        with lock:
            body = list(app(environ, start_and_keep))
        return [*written, *body]

    return locked


def git_app(path: Path) -> App:
    """git's own server, as CGI."""
    program = Path(subprocess.check_output(["git", "--exec-path"], text=True).strip()) / "git-http-backend"

    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        variables = {key: str(value) for key, value in environ.items() if key.isupper()}
        variables |= {"GIT_PROJECT_ROOT": str(path.parent), "GIT_HTTP_EXPORT_ALL": "1"}
        length = int(str(environ.get("CONTENT_LENGTH") or 0))
        body = environ["wsgi.input"].read(length)  # type: ignore[attr-defined]
        answer = subprocess.run([program], input=body, env=variables, capture_output=True, check=True).stdout
        head, _, content = answer.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().splitlines()]
        status = next((value for name, value in headers if name == "Status"), "200 OK")
        start(status, [(name, value) for name, value in headers if name != "Status"])
        return [content]

    return app


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = packed(bare(tmp_path_factory.mktemp("served") / "it", {"old": ""}))
    with Repo(path) as repo:
        tag(repo, "v1", commit(repo, TREE))
    return path


@pytest.fixture(scope="module")
def app(repository: Path) -> Iterator[App]:
    with dulwich_app(repository) as app:
        yield app


@pytest.fixture(scope="module")
def url(app: App) -> Iterator[str]:
    with served(app) as url:
        yield url


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where repositories are put, of which nothing may be left."""
    path = tmp_path / "temporary"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    yield path
    assert_empty_soon(path)


def assert_empty_soon(path: Path) -> None:
    # A thread that was left may still be at it; one that gave its answer lets go of the repository after that.
    deadline = time.monotonic() + 5
    gc.collect()
    while os.listdir(path) and time.monotonic() < deadline:
        time.sleep(0.005)
        gc.collect()
    assert os.listdir(path) == []


async def fails(code: int, words: str, url: str, ref: str = "main", **options: float) -> None:
    with pytest.raises(OSError, match=words) as caught:
        await Git.fetch(url, ref, **options)  # type: ignore[arg-type]
    assert caught.value.errno == code
    assert "secret" not in "".join(traceback.format_exception(caught.value))
    assert str(caught.value.filename).startswith("http://127.0.0.1:")


async def test_what_is_fetched_evaluates_as_in_memory(url: str) -> None:
    for ref in ("main", "v1", "HEAD", "refs/heads/main"):
        async with await Git.fetch(url, ref) as io:
            await evaluates_as_in_memory(io, TREE)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
async def test_gits_own_server_will_do(repository: Path) -> None:
    with served(git_app(repository)) as url:
        async with await Git.fetch(url, "v1") as io:
            await evaluates_as_in_memory(io, TREE)
        async with await Git.fetch(url, io.revision) as again:
            assert again.revision == io.revision
        await fails(errno.ENXIO, "there is no 'none' on the server", url, "none")
        with pytest.raises(OSError, match="git: the server"):
            await Git.fetch(url, "1" * 40)


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
async def test_only_the_commit_itself_is_fetched(tmp_path: Path, object_format: str) -> None:
    path = bare(tmp_path / "it", {"f": "old"}, object_format)
    with Repo(path) as repo:
        old = repo.refs[b"refs/heads/main"]  # type: ignore[index]
        commit(repo, {"f": "new"}, parents=[old])
    with served(git_app(path)) as url:
        async with await Git.fetch(url, "main", tmp_path / "here") as io:
            assert await io.read("/f") == b"new"
    with Repo(tmp_path / "here") as repo:
        assert old not in repo.object_store
        assert len(repo.get_shallow()) == 1


async def test_a_given_directory_is_kept_and_fetched_into_once(app: App, tmp_path: Path) -> None:
    asked: list[str] = []

    def counting(environ: Environ, start: Start) -> Iterable[bytes]:
        asked.append(str(environ["REQUEST_METHOD"]))
        return app(environ, start)

    with served(counting) as url:
        for _ in range(2):
            async with await Git.fetch(url, "main", tmp_path / "deep" / "here") as io:
                await evaluates_as_in_memory(io, TREE)
    assert asked.count("POST") == 1
    async with Git(tmp_path / "deep" / "here", "main") as io:
        await evaluates_as_in_memory(io, TREE)


async def test_a_directory_of_something_else_is_left_alone(url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OSError, match="neither empty nor a repository"):
        await Git.fetch(url, "main", tmp_path)
    assert (tmp_path / "file").read_text() == "mine"


async def test_a_temporary_repository_goes_with_its_object(url: str, temporary: Path) -> None:
    io = await Git.fetch(url, "main")
    assert len(os.listdir(temporary)) == 1
    assert await io.path_exists("/default.nix")
    del io
    assert_empty_soon(temporary)


async def test_credentials_are_sent_and_never_told(app: App) -> None:
    expected = "Basic " + base64.b64encode(b"me:top secret").decode()

    def guarded(environ: Environ, start: Start) -> Iterable[bytes]:
        if environ.get("HTTP_AUTHORIZATION") != expected:
            start("401 Unauthorized", [])
            return [str(environ.get("HTTP_AUTHORIZATION")).encode()]
        return app(environ, start)

    with served(guarded) as url:
        async with await Git.fetch(url.replace("//", "//me:top%20secret@"), "main") as io:
            assert "secret" not in repr(io)
        await fails(errno.EACCES, r"the server refuses \(401\)", url.replace("//", "//me:secret@"))
        await fails(errno.EACCES, r"the server refuses \(401\)", url)


def answering(status: str, body: bytes = b"", **headers: str) -> App:
    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        start(status, [(name.replace("_", "-"), value) for name, value in headers.items()])
        return [body]

    return app


async def test_redirections_stay_with_the_server(app: App) -> None:
    asked: list[object] = []

    def moved(environ: Environ, start: Start) -> Iterable[bytes]:
        path = str(environ["PATH_INFO"])
        if path.startswith("/new"):
            return app(environ | {"PATH_INFO": path.removeprefix("/new")}, start)
        return answering("302 Found", Location=f"/new{path}?{environ['QUERY_STRING']}")(environ, start)

    def foreign(environ: Environ, start: Start) -> Iterable[bytes]:
        asked.append(environ.get("HTTP_AUTHORIZATION"))
        return answering("200 OK")(environ, start)

    with served(moved) as url:
        async with await Git.fetch(url, "main") as io:
            await evaluates_as_in_memory(io, TREE)
    with served(foreign) as other, served(answering("302 Found", Location=f"{other}/info/refs")) as url:
        await fails(errno.EACCES, "redirects to another one", url.replace("//", "//me:secret@"))
    assert asked == []
    for target in ("file:///etc/passwd", "http://[", "//example.org/", "ftp://127.0.0.1/"):
        with served(answering("302 Found", Location=target)) as url:
            await fails(errno.EPROTO if target == "http://[" else errno.EACCES, "git: ", url)
    with served(answering("302 Found", Location="/it/info/refs?service=git-upload-pack")) as url:
        await fails(errno.ELOOP, "without end", url)


async def test_what_the_server_does_not_have_is_told(url: str) -> None:
    await fails(errno.ENXIO, "there is no 'none'", url, "none")
    for status, code in (("404 No", errno.ENXIO), ("403 No", errno.EACCES), ("500 Oh", errno.EIO)):
        with served(answering(status)) as other:
            await fails(code, "git: the server", other)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    await fails(errno.ECONNREFUSED, "refused", f"http://me:secret@127.0.0.1:{port}/it")


@pytest.mark.parametrize("url", ["file:///etc", "ssh://git@host/x", "/srv/it", "", "http://", "http://h:port/x"])
async def test_other_urls_are_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|http or https"):
        await Git.fetch(url)


SMART = "application/x-git-upload-pack-advertisement"
ID = b"1" * 40


def pkt(line: bytes) -> bytes:
    return b"%04x" % (len(line) + 4) + line


ADVERTISED = pkt(b"# service=git-upload-pack\n") + b"0000"
ONE_REF = ADVERTISED + pkt(ID + b" refs/heads/main\0side-band-64k shallow thin-pack ofs-delta\n") + b"0000"


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"0000", b"ffff", b"000", ADVERTISED, ADVERTISED + pkt(b"nonsense"), ONE_REF[:-20]]
)
@pytest.mark.parametrize("kind", [SMART, "text/html"])
async def test_what_is_not_the_protocol_is_told_as_that(body: bytes, kind: str) -> None:
    with served(answering("200 OK", body, Content_Type=kind)) as url, pytest.raises(OSError) as caught:
        await Git.fetch(url, "main")
    assert caught.value.errno in (errno.EPROTO, errno.ENXIO)


async def test_a_list_of_refs_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("io_backends.git.fetch._MAX_REFS_SIZE", 1 << 18)

    def endless(environ: Environ, start: Start) -> Iterator[bytes]:
        start("200 OK", [("Content-Type", SMART)])
        yield ONE_REF[:-4]
        while True:
            yield b"".join(pkt(ID + b" refs/heads/%d\n" % number) for number in range(1000))

    with served(endless) as url:
        await fails(errno.EFBIG, "sends too much", url)


async def test_more_than_was_allowed_is_not_taken(url: str, tmp_path: Path) -> None:
    await fails(errno.EFBIG, "sends too much", url, max_bytes=300)
    await fails(errno.EFBIG, "an object of more than", url, max_file_size=1000)
    await fails(errno.EFBIG, "2000 in all", url, max_unpacked=2000)
    bomb = bare(tmp_path / "bomb", {"f": bytes(20_000_000)})
    with dulwich_app(bomb) as app, served(app) as url:
        await fails(errno.EFBIG, "an object of more than", url, max_file_size=10_000_000)


def number(value: int) -> bytes:
    return (bytes([value & 127 | 128]) + number(value >> 7)) if value > 127 else bytes([value])


def test_a_delta_that_says_it_becomes_large_is_not_applied(tmp_path: Path) -> None:
    delta = number(10) + number(1 << 40) + b"\x80" * 10
    head = bytes([7 << 4 | len(delta) & 15 | 128]) + number(len(delta) >> 4)
    pack = b"PACK" + (2).to_bytes(4) + (1).to_bytes(4) + head + bytes(20) + zlib.compress(delta) + bytes(20)
    (tmp_path / "pack").write_bytes(pack)
    with open(tmp_path / "pack", "r+b") as file, pytest.raises(OSError) as caught:
        check_pack(file, 20, 1 << 30, 1 << 40)
    assert caught.value.errno == errno.EFBIG


async def test_a_pack_that_ends_early_leaves_nothing(app: App, tmp_path: Path) -> None:
    def cut(environ: Environ, start: Start) -> Iterable[bytes]:
        written: list[bytes] = []

        def starting(status: str, headers: list[tuple[str, str]]) -> object:
            start(status, headers)
            return written.append

        body = b"".join([*app(environ, starting), *written])
        return [body[: len(body) // 2] if environ["REQUEST_METHOD"] == "POST" else body]

    with served(cut) as url:
        await fails(errno.EPROTO, "breaks the protocol", url)
        with pytest.raises(OSError):
            await Git.fetch(url, "main", tmp_path / "here")
    assert not (tmp_path / "here").exists()


@contextmanager
def hanging(*pieces: bytes) -> Iterator[str]:
    """A server that sends that much, to everybody, and then nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        opened: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                opened.append(client)
                for piece in pieces:
                    client.sendall(piece)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/it"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for client in opened:
                client.close()


@pytest.mark.parametrize(
    "pieces", [(), (b"HTTP/1.1 200 OK\r\n",), (b"HTTP/1.1 200 OK\r\nContent-Type: " + SMART.encode() + b"\r\n\r\n00",)]
)
async def test_a_server_that_hangs_is_given_up(pieces: tuple[bytes, ...]) -> None:
    with hanging(*pieces) as url:
        start = time.monotonic()
        await fails(errno.ETIMEDOUT, "git: ", url.replace("//", "//me:secret@"), max_seconds=0.2)
        assert time.monotonic() - start < 2


async def test_a_fetch_that_is_cancelled_ends_its_thread() -> None:
    with hanging() as url:
        with anyio.move_on_after(0.1) as scope:
            await Git.fetch(url, "main")
        assert scope.cancelled_caught
        with anyio.fail_after(60):
            while working() > 0:  # noqa: ASYNC110
                await anyio.sleep(0.005)


def working() -> int:
    """Threads that are inside a fetch."""
    stacks = [list(traceback.walk_stack(frame)) for frame in sys._current_frames().values()]
    return sum(any(frame.f_code is Fetch.run.__code__ for frame, _ in stack) for stack in stacks)
