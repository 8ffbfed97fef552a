"""Http asks for little, and what goes wrong on the way is an OSError, in bounded time, with nothing kept half."""

from __future__ import annotations

import errno
import gzip
import json
import sys
import time
import traceback
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import suppress
from email.utils import formatdate
from random import Random

import anyio
import httpx2
import pytest
import stamina
from servers import Files, Handler, Reply, Request, serve, with_conditions

import aionix
from aionix.errors import FileError
from aionix.io import EvalIO
from io_backends import Http
from io_backends.http import Autoindex, GitHub, GitLab, Layout, Manifest

pytestmark = pytest.mark.anyio

LARGE = bytes(range(256)) * 40_000  # three ranges


@pytest.fixture(autouse=True)
def _no_pauses() -> Iterator[None]:
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


async def refused(look: Callable[[], object], code: int, *words: str) -> OSError:
    """`look` fails with `code` and says why, about /f."""
    with pytest.raises(OSError) as caught:
        await look()  # type: ignore[misc]
    error = caught.value
    assert (error.errno, error.filename) == (code, "/f"), error
    assert all(word in str(error) for word in ("http://127.0.0.1:", *words)), error
    return error


async def failing(handler: Handler, code: int, *words: str, attempts: int = 1, **settings: float) -> int:
    """Reading /f of a server fails with `code`; how many requests were made."""
    async with serve(handler) as server, Http(server.url, attempts=attempts, **settings) as io:  # type: ignore[arg-type]
        await refused(lambda: io.read("/f"), code, *words)
        return len(server.requests)


def in_turn(*replies: Reply) -> Handler:
    """The replies one after the other, the last one for ever."""
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


async def endless(piece: bytes = b"x" * 65536, pause: float = 0.0) -> AsyncGenerator[bytes]:
    while True:
        yield piece
        await anyio.sleep(pause)


# What is asked.


async def test_what_many_want_at_once_is_requested_once() -> None:
    async with serve(Files({"f": "x"}), delay=0.05) as server, Http(server.url) as io:
        async with anyio.create_task_group() as group:
            for _ in range(30):
                group.start_soon(io.read, "/f")
                group.start_soon(io.file_type, "/f")
                group.start_soon(io.path_exists, "/none")
        assert server.counts == {"/f": 1, "/none": 1, "/none/default.nix": 1}


async def test_who_waits_goes_on_if_who_asked_is_cancelled() -> None:
    started, go_on = anyio.Event(), anyio.Event()

    async def handler(request: Request) -> Reply:
        started.set()
        await go_on.wait()
        return Reply(b"x")

    contents: list[bytes] = []

    async def reader(io: EvalIO) -> None:
        contents.append(await io.read("/f"))

    async with serve(handler) as server, Http(server.url) as io, anyio.create_task_group() as group:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as first:
                first.start_soon(reader, io)
                await started.wait()
                group.start_soon(reader, io)
                await anyio.wait_all_tasks_blocked()
                scope.cancel()
        go_on.set()
    assert contents == [b"x"]
    assert len(server.requests) == 2


async def test_nothing_more_than_allowed_is_under_way_to_one_host() -> None:
    files = {f"f{number}": "x" for number in range(20)}
    async with serve(Files(files), delay=0.02) as server, Http(server.url, connections=3) as io:
        async with anyio.create_task_group() as group:
            for name in files:
                group.start_soon(io.read, f"/{name}")
        assert server.most_in_progress == server.connections == 3


async def test_one_connection_is_kept_whatever_the_answers_are() -> None:
    async with serve(Files({"f": "x", "d": {"e": ""}})) as server, Http(server.url) as io:
        await io.read("/f")
        assert not await io.path_exists("/none")
        assert await io.path_exists("/d")
        await io.read("/d/e")
        assert (len(server.requests), server.connections) == (5, 1)
    assert server.open_connections == 0


async def test_what_is_older_than_max_age_is_revalidated() -> None:
    tree = {"f": "old"}
    async with serve(Files(tree)) as server, Http(server.url, max_age=0) as io, Http(server.url) as keeping:
        assert [await io.read("/f"), await keeping.read("/f")] == [b"old", b"old"]
        before = len(server.requests)
        assert await io.read("/f") == b"old"
        assert all("if-none-match" in request.headers for request in server.requests[before:])
        tree["f"] = "new"
        assert [await io.read("/f"), await keeping.read("/f")] == [b"new", b"old"]


async def test_what_was_used_least_recently_is_dropped() -> None:
    files = {f"f{number}": "x" * 10_000 for number in range(5)}
    async with serve(Files(files)) as server, Http(server.url, cache_size=35_000) as io:
        for name in ("f0", "f1", "f2", "f0", "f3", "f0", "f1"):
            assert len(await io.read(f"/{name}")) == 10_000
        assert server.counts == {"/f0": 1, "/f1": 2, "/f2": 1, "/f3": 1}


# Large files.


async def whole(io: EvalIO, count: int = 300_000) -> bytes:
    data = b""
    async with io.open("/f") as file:
        size = file.size
        while piece := await file.read(count):
            assert len(piece) <= count
            data += piece
    assert size == len(data)
    return data


async def test_a_large_file_is_read_in_ranges() -> None:
    async with serve(Files({"f": LARGE})) as server, Http(server.url) as io:
        assert await whole(io) == LARGE
        ranges = [request.headers["range"] for request in server.requests[1:]]
        assert ranges == ["bytes=0-4194303", "bytes=4194304-8388607", "bytes=8388608-10239999"]
        assert await io.read("/f") == LARGE
        assert len(server.requests) == 5


async def test_a_part_of_a_file_is_all_that_is_asked_for() -> None:
    async with serve(Files({"f": LARGE})) as server, Http(server.url) as io:
        async with io.open_range("/f", 5_000_000, 1000) as file:
            assert await file.read(2000) == LARGE[5_000_000:5_001_000]
        assert server.requests[-1].headers["range"] == "bytes=5000000-5000999"
        async with io.open_range("/f", len(LARGE) + 1, 10) as file:
            assert (file.size, await file.read(9)) == (0, b"")


async def test_a_server_without_ranges_gives_all() -> None:
    async with serve(Files({"f": LARGE}, ranges=False)) as server, Http(server.url) as io:
        assert await whole(io) == LARGE
        async with io.open_range("/f", 5_000_000, 1000) as file:
            assert await file.read(2000) == LARGE[5_000_000:5_001_000]


def changed(request: Request) -> Reply:
    return with_conditions(request, LARGE[::-1])


def changed_without_if_range(request: Request) -> Reply:
    headers = {name: value for name, value in request.headers.items() if name != "if-range"}
    return with_conditions(Request("GET", request.target, headers), LARGE[::-1])


def shrunk(request: Request) -> Reply:
    return changed_without_if_range(request) if "range" not in request.headers else Reply(status=416)


def grown(request: Request) -> Reply:
    reply = with_conditions(request, LARGE + b"more")
    tag = with_conditions(request, LARGE).headers["etag"]
    return Reply(reply.body, 206, {**reply.headers, "etag": tag}) if reply.status == 206 else reply


@pytest.mark.parametrize("then", [changed, changed_without_if_range, shrunk, grown, lambda _: Reply(status=404)])
async def test_a_change_between_two_ranges_is_noticed(then: Callable[[Request], Reply]) -> None:
    seen: list[Request] = []

    def handler(request: Request) -> Reply:
        seen.append(request)
        return with_conditions(request, LARGE) if len(seen) < 3 else then(request)

    async with serve(handler) as server, Http(server.url) as io:
        await refused(lambda: whole(io), errno.ESTALE, "changed while it was read")


@pytest.mark.parametrize("span", ["bytes 1-4194304/10240000", "bytes 0-9/10", "bytes 0-4194303/5", "bytes x", ""])
async def test_a_range_that_was_not_asked_for_is_refused(span: str) -> None:
    def handler(request: Request) -> Reply:
        if "range" not in request.headers:
            return Reply(LARGE)
        return Reply(LARGE[: 1 << 22], 206, {"content-range": span})

    async with serve(handler) as server, Http(server.url) as io:
        await refused(lambda: whole(io), errno.EPROTO, "range")


# Again.


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_what_passes_is_asked_again(status: int) -> None:
    async with serve(in_turn(Reply(status=status), Reply(b"x"))) as server, Http(server.url) as io:
        assert await io.read("/f") == b"x"
        assert len(server.requests) == 2


async def test_an_answer_that_breaks_off_is_asked_for_again_and_nothing_of_it_kept() -> None:
    broken = Reply(b"half", headers={"content-length": "100"})
    async with serve(in_turn(broken, Reply(b"garbage", raw=True), Reply(b"whole"))) as server, Http(server.url) as io:
        assert await io.read("/f") == b"whole"
        assert len(server.requests) == 3


async def test_a_server_says_when_to_come_again() -> None:
    async def wait(value: str, longest: float) -> None:
        busy = Reply(status=429, headers={"retry-after": value})
        async with serve(in_turn(busy, Reply(b"x"))) as server, Http(server.url) as io:
            begin = time.monotonic()
            assert await io.read("/f") == b"x"
            assert 0.9 < time.monotonic() - begin < longest

    stamina.set_testing(False)
    async with anyio.create_task_group() as group:
        group.start_soon(wait, "1", 3)
        group.start_soon(wait, formatdate(time.time() + 2, usegmt=True), 4)


IN_HOURS = formatdate(time.time() + 9000, usegmt=True)


@pytest.mark.parametrize("value", ["100", "9" * 400, pytest.param(IN_HOURS, id="a date")])
async def test_nobody_waits_longer_than_their_patience(value: str) -> None:
    reply = Reply(status=503, headers={"retry-after": value})
    assert await failing(lambda _: reply, errno.EIO, "503 Service Unavailable", attempts=3) == 1


@pytest.mark.parametrize("value", ["soon", "-1", "Mon, 99 Foo 2020 00:00:00 GMT", formatdate(1, usegmt=True)])
async def test_a_time_that_is_none_does_not_matter(value: str) -> None:
    reply = Reply(status=503, headers={"retry-after": value})
    async with serve(in_turn(reply, Reply(b"x"))) as server, Http(server.url) as io:
        assert await io.read("/f") == b"x"


async def test_attempts_are_bounded() -> None:
    assert await failing(lambda _: Reply(status=500), errno.EIO, "500 Internal", attempts=3) == 3
    assert await failing(lambda _: Reply(status=418), errno.EPROTO, "418", attempts=3) == 1


async def test_an_error_is_told_to_all_who_wait_and_not_kept() -> None:
    errors: list[OSError] = []

    async def look(io: EvalIO) -> None:
        try:
            await io.read("/f")
        except OSError as error:
            errors.append(error)

    handler = in_turn(Reply(status=500), Reply(b"x"))
    async with serve(handler, delay=0.05) as server, Http(server.url, attempts=1) as io:
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(look, io)
        assert len({id(error) for error in errors}) == 10
        assert await io.read("/f") == b"x"
        assert len(server.requests) == 2


async def test_nobody_listening_is_refused_in_bounded_time() -> None:
    async with serve(lambda _: Reply()) as server:
        pass
    async with Http(server.url, attempts=2) as io:
        await refused(lambda: io.read("/f"), errno.ECONNREFUSED, "cannot connect")


# Servers that misbehave.


async def hang(request: Request) -> Reply:
    await anyio.sleep_forever()
    return Reply()


@pytest.mark.parametrize(
    "handler",
    [
        hang,
        lambda _: Reply(endless(b"x", 0.02)),  # a byte now and then
        lambda _: Reply(endless(b"x", 0.02), 404),
        lambda _: Reply(endless(b"x", 60)),  # one, and then none
    ],
)
async def test_a_server_that_hangs_is_given_up(handler: Handler) -> None:
    with anyio.fail_after(60):
        assert await failing(handler, errno.ETIMEDOUT, "no answer within 0.15 s", timeout=0.15, attempts=2) == 2


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"short", headers={"content-length": "1000"}),
        Reply(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nabc", raw=True),
        Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", raw=True),
        Reply(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", raw=True),
        Reply(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 500_000, raw=True),
        Reply(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nabc", raw=True),
        Reply(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 5000 + b"\r\nab", raw=True),
        Reply(b"SSH-2.0-x\r\n", raw=True),
        Reply(b"", raw=True),
    ],
)
async def test_an_answer_that_is_not_whole_is_none(reply: Reply) -> None:
    await failing(lambda _: reply, errno.ECONNRESET, "broke off, or is not HTTP")


async def test_an_answer_that_may_have_been_cut_off_is_refused() -> None:
    reply = Reply(b"HTTP/1.1 200 OK\r\n\r\nhalf of it", raw=True)
    await failing(lambda _: reply, errno.EPROTO, "does not say where it ends")


async def test_gzip_is_understood_and_nothing_else() -> None:
    packed = gzip.compress(b"x" * 100_000)
    async with serve(lambda _: Reply(packed, headers={"content-encoding": "gzip"})) as server, Http(server.url) as io:
        assert await io.read("/f") == b"x" * 100_000
    for body, encoding, code in (
        (packed[:-4], "gzip", errno.EPROTO),
        (packed + b"x", "gzip", errno.EPROTO),
        (packed + packed, "gzip", errno.EPROTO),
        (b"text", "gzip", errno.EPROTO),
        (packed, "br", errno.EPROTO),
        (packed, "gzip, gzip", errno.EPROTO),
    ):
        reply = Reply(body, headers={"content-encoding": encoding})
        await failing(lambda _, reply=reply: reply, code)  # type: ignore[misc]


async def test_a_bomb_is_not_inflated() -> None:
    bomb = Reply(gzip.compress(bytes(50_000_000)), headers={"content-encoding": "gzip"})
    await failing(lambda _: bomb, errno.EFBIG, "more than 1000000 bytes", max_file_size=1_000_000)


async def test_gzip_that_never_says_anything_ends() -> None:
    async def nothing() -> AsyncGenerator[bytes]:
        yield gzip.compress(b"")[:10]
        while True:
            yield b"\0\0\0\xff\xff" * 10_000  # stored blocks of no bytes

    def handler(request: Request) -> Reply:
        return Reply(nothing(), headers={"content-encoding": "gzip"})

    await failing(handler, errno.EPROTO, "gzip", max_file_size=1_000_000)


async def test_a_file_without_end_is_too_large() -> None:
    await failing(lambda _: Reply(endless()), errno.EFBIG, max_file_size=1_000_000)
    claims = Reply(b"x", headers={"content-length": str(1 << 50)})
    await failing(lambda _: claims, errno.EFBIG)


# Redirects.


def redirect(location: str, status: int = 302) -> Reply:
    return Reply(status=status, headers={"location": location})


async def test_redirects_of_the_server_to_itself_are_followed() -> None:
    places = {"/f": redirect("/a/b"), "/a/b": redirect("../c", 307), "/c": Reply(b"x")}
    async with serve(lambda request: places[request.path]) as server, Http(server.url, headers={"x-key": "k"}) as io:
        assert await io.read("/f") == b"x"
        assert [request.headers["x-key"] for request in server.requests] == ["k", "k", "k"]


async def test_redirects_without_end_are_a_loop() -> None:
    assert await failing(lambda _: redirect("/f"), errno.ELOOP, "redirects") == 6
    assert await failing(lambda request: redirect(request.path + "x"), errno.ELOOP, "redirects") == 6


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/f",
        "http://169.254.169.254/latest/meta-data",
        "http://localhost/f",
        "http://[::1]/f",
        "//10.0.0.1/f",
        "https://127.0.0.1/f",
        "http://user:secret@192.168.0.1/f",
        "javascript:alert(1)",
    ],
)
async def test_redirects_lead_nowhere_else(location: str) -> None:
    await failing(lambda _: redirect(location), errno.EACCES, "leads to", "not allowed")


@pytest.mark.parametrize("location", ["http://[", "http://a:b:c/", "http://h:99999999/", "\x7f" * 9, "x" * 70_000])
async def test_what_is_no_url_is_not_followed(location: str) -> None:
    async with serve(lambda _: redirect(location)) as server, Http(server.url, attempts=1) as io:
        with pytest.raises(OSError) as caught:
            await io.read("/f")
        assert caught.value.errno in (errno.EPROTO, errno.EACCES, errno.ECONNRESET, errno.ELOOP)


async def test_another_port_of_loopback_is_another_server() -> None:
    async with serve(Files({"f": "secret"})) as other:
        await failing(lambda _: redirect(other.url + "/f"), errno.EACCES, "not allowed")
        assert other.requests == []


async def test_a_link_is_followed_by_nobody_who_reads_a_file() -> None:
    reply = Reply(b"x", headers={"link": '<http://10.0.0.1/>; rel="next"'})
    async with serve(lambda _: reply) as server, Http(server.url) as io:
        assert await io.read("/f") == b"x"


async def test_a_host_that_is_allowed_gets_no_credentials() -> None:
    settings = {"headers": {"x-key": "key"}, "auth": ("me", "secret")}
    async with serve(Files({"f": "x"})) as other, serve(lambda _: redirect(other.url + "/f")) as server:
        async with Http(server.url, redirect_hosts=(f"127.0.0.1:{other.port}",), **settings) as io:  # type: ignore[arg-type]
            assert await io.read("/f") == b"x"
        assert server.requests[0].headers["x-key"] == "key"
        assert server.requests[0].headers["authorization"].startswith("Basic ")
        assert not {"x-key", "authorization"} & other.requests[0].headers.keys()


# Credentials.


def guarded(request: Request) -> Reply:
    right = request.headers.get("authorization") == httpx2.BasicAuth("me", "right")._auth_header
    return Reply(b"x") if right else Reply(b"wrong: " + request.headers.get("authorization", "").encode(), 401)


async def test_credentials_are_sent_and_never_told() -> None:
    async with serve(guarded) as server:
        in_url = server.url.replace("//", "//me:right@")
        async with Http(in_url) as io, Http(server.url, auth=("me", "right")) as other:
            assert await io.read("/f") == await other.read("/f") == b"x"
            assert "right" not in repr(io) + repr(other)
        wrong = ({"auth": ("me", "hunter2")}, {"headers": {"authorization": "Bearer hunter2"}})
        for settings in wrong:
            async with Http(server.url, **settings) as io:  # type: ignore[arg-type]
                error = await refused(lambda io=io: io.read("/f"), errno.EACCES, "401 Unauthorized")  # type: ignore[misc]
                told = repr(io) + repr(error) + "".join(traceback.format_exception(error))
                assert "hunter2" not in told and "aHVudGVyMg" not in told
        async with Http(server.url, headers={"x-key": "hunter2\r\nx: y"}) as io:
            error = await refused(lambda: io.read("/f"), errno.EINVAL, "not allowed in HTTP")
            assert "hunter2" not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("auth", [("me", "x"), httpx2.DigestAuth("me", "x")], ids=["basic", "digest"])
async def test_a_challenge_without_end_is_not_read(auth: tuple[str, str] | httpx2.Auth) -> None:
    challenge = {"www-authenticate": 'Digest realm="r", nonce="n", qop="auth"'}
    async with serve(lambda _: Reply(endless(), 401, challenge)) as server, Http(server.url, auth=auth) as io:
        with anyio.fail_after(60):
            await refused(lambda: io.read("/f"), errno.EACCES, "401")
        assert len(server.requests) == 1 + isinstance(auth, httpx2.DigestAuth)


# Listings that are none.

DEEP = b"[" * 200_000


def manifest_of(*entries: dict[str, object]) -> bytes:
    return json.dumps({"version": 1, "entries": entries}).encode()


def regular(path: str) -> dict[str, object]:
    return {"path": path, "type": "regular"}


@pytest.mark.parametrize(
    ("layout", "body"),
    [
        (Manifest(), b""),
        (Manifest(), b"{"),
        (Manifest(), b"[]"),
        (Manifest(), b'{"version": 1, "entries": {}}'),
        (Manifest(), b'{"version": 1, "entries": [], "x": ' + DEEP),
        (Manifest(), b'{"version": 1, "entries": ' + DEEP),
        (Manifest(), b'{"version": 1, "entries": []} trailing'),
        (Manifest(), b'{"version": 2, "entries": []}'),
        (Manifest(), b'{"version": 1, "entries": [1]}'),
        (Manifest(), manifest_of({"path": 1, "type": "regular"})),
        (Manifest(), manifest_of({"path": "f", "type": "fifo"})),
        (Manifest(), manifest_of({"path": "f", "type": "symlink"})),
        (Manifest(), manifest_of({"path": "f", "type": "regular", "size": -1})),
        (Manifest(), manifest_of({"path": "f", "type": "regular", "size": "9"})),
        *[(Manifest(), manifest_of(regular(path))) for path in ("", "/f", "a//f", "../f", "a/../f", ".", "f\0", "f/")],
        (Manifest(), manifest_of(regular("f"), regular("f"))),
        (Manifest(), manifest_of(regular("f"), regular("f/g"))),
        (Manifest(), manifest_of(regular("f/g"), regular("f"))),
        (Manifest(), manifest_of(regular("d/" * 2000 + "f"))),
        (Manifest(), manifest_of(*[regular(f"f{number}") for number in range(101)])),
        (Autoindex(), b'{"name": "f"}'),
        (Autoindex(), b'[{"name": "../f"}]'),
        (Autoindex(), b"[" + b'{"name": "f"},' * 5 + b"]"),
        (Autoindex(), DEEP),
        (GitHub("o", "r", "0" * 40), b'{"tree": [{"path": "f", "type": "blob", "mode": "100644", "sha": "../x"}]}'),
        (GitHub("o", "r", "0" * 40), b'{"tree": [{"path": "f"}]}'),
        (GitHub("o", "r", "main"), b"no commit"),
        (GitHub("o", "r", "0" * 40), b'{"tree": [], "truncated": true}'),
        (GitLab("p"), b'{"id": "x"}'),
        (GitLab("p"), b"[]"),
    ],
)
async def test_a_listing_that_cannot_be_is_refused(layout: Layout, body: bytes) -> None:
    reply = Reply(body, headers={"content-type": "application/json"})
    async with serve(lambda _: reply) as server, Http(server.url, layout, max_entries=100) as io:
        for look in (io.read, io.file_type, io.read_dir, io.path_exists):
            await refused(lambda look=look: look("/f"), errno.EPROTO, "its listing is not understood")  # type: ignore[misc]


@pytest.mark.parametrize("layout", [Manifest(), Autoindex(), GitHub("o", "r"), GitLab("p")], ids=str)
async def test_a_listing_that_is_not_there_or_without_end_is_an_error(layout: Layout) -> None:
    replies = iter([Reply(status=404)])
    async with serve(lambda _: next(replies, None) or Reply(endless())) as server, Http(server.url, layout, max_listing_size=100_000) as io:
        await refused(lambda: io.path_exists("/f"), errno.EIO, "there is no listing at")
        await refused(lambda: io.path_exists("/f"), errno.EFBIG, "a listing of more than 100000 bytes")


async def test_pages_in_a_circle_end() -> None:
    def handler(request: Request) -> Reply:
        if "commits" in request.path:
            return Reply(json.dumps({"id": "0" * 40}).encode())
        return Reply(b"[]", headers={"link": f'<{request.target}>; rel="next"'})

    async with serve(handler) as server, Http(server.url, GitLab("p")) as io:
        await refused(lambda: io.read_dir("/f"), errno.EPROTO, "circle")
        assert len(server.requests) == 2


async def test_the_next_page_of_another_host_is_not_asked_for() -> None:
    def handler(request: Request) -> Reply:
        if "commits" in request.path:
            return Reply(json.dumps({"id": "0" * 40}).encode())
        return Reply(b"[]", headers={"link": '<http://10.0.0.1/>; rel="next"'})

    async with serve(handler) as server, Http(server.url, GitLab("p")) as io:
        await refused(lambda: io.read_dir("/f"), errno.EACCES, "not allowed")


async def test_a_file_that_is_not_what_its_listing_says_is_refused_and_not_kept() -> None:
    sha256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"  # of "x"
    for said in ({"sha256": sha256}, {"size": 1}):
        tree = {"manifest.json": manifest_of(regular("f") | said), "f": "changed"}
        async with serve(Files(tree)) as server, Http(server.url, Manifest()) as io:
            for look in (lambda io=io: io.read("/f"), lambda io=io: whole(io)):  # type: ignore[misc]
                await refused(look, errno.ESTALE, "not what the listing says")
            tree["f"] = "x"
            assert await io.read("/f") == b"x"


async def test_a_large_file_is_compared_at_its_end() -> None:
    said = {"size": len(LARGE), "sha256": "0" * 64}
    tree = {"manifest.json": manifest_of(regular("f") | said), "f": LARGE}
    async with serve(Files(tree)) as server, Http(server.url, Manifest()) as io:
        await refused(lambda: whole(io), errno.ESTALE, "not what the listing says")


# The rest.


async def test_no_cookie_is_kept() -> None:
    async with serve(lambda _: Reply(b"x", headers={"set-cookie": "a=b; Path=/"})) as server, Http(server.url) as io:
        await io.read("/f")
        await io.read("/g")
        assert "cookie" not in server.requests[1].headers


FAULTS = [
    Reply(status=503),
    Reply(b"half", headers={"content-length": "100"}),
    Reply(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", raw=True),
    Reply(b"?", raw=True),
]


@pytest.mark.parametrize("seed", range(8))
async def test_faults_that_pass_do_not_change_what_comes_out(seed: int) -> None:
    modules = {f"f{number}.nix": f"1 + import ./f{number - 1}.nix" for number in range(1, 20)}
    files, random = Files({"f0.nix": "1", **modules}), Random(seed)

    async def faulty(request: Request) -> Reply:
        await anyio.sleep(random.random() / 200)
        return random.choice(FAULTS) if random.random() < 0.4 else files(request)

    async with serve(faulty) as server:
        async with Http(server.url, attempts=50) as io:
            assert str(await aionix.evaluate("import /f19.nix + import /f7.nix", io=io)) == "28"
        with anyio.fail_after(1):
            await server.all_gone()


async def test_damaged_answers_are_read_or_refused() -> None:
    sound = b"HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    body = gzip.compress(b'<a href="f">f</a><a href="d/">d</a>')
    random = Random(5)

    def damaged(request: Request) -> Reply:
        data = bytearray(sound % len(body) + body)
        for _ in range(random.randrange(1, 4)):
            data[random.randrange(len(data))] = random.randrange(256)
        return Reply(bytes(data), raw=True)

    async with serve(damaged) as server:
        for layout in [None, Autoindex(), Manifest()] * 40:
            async with Http(server.url, layout, attempts=1, timeout=1) as io:
                for look in (io.read, io.file_type):
                    with suppress(OSError):
                        await look("/f")


async def test_it_is_open_inside_of_its_block_only() -> None:
    async with serve(Files({"f": "x"})) as server:
        io = Http(server.url)
        for _ in range(2):
            with pytest.raises(RuntimeError, match="async with"):
                await io.read("/f")
            async with io:
                pass


async def test_a_transport_of_ones_own_stays_open() -> None:
    async with serve(Files({"f": "x"})) as server, httpx2.AsyncHTTPTransport() as transport:
        for _ in range(2):
            async with Http(server.url, transport=transport) as io:
                assert await io.read("/f") == b"x"
        assert server.connections == 1


@pytest.mark.parametrize("url", ["file:///etc", "ftp://h/", "h/path", "http:///x", "http://h/?token=x", "https://h/#x", "http://u:pass:word@h:x/"])
def test_a_url_must_be_one_of_a_server(url: str) -> None:
    with pytest.raises(ValueError, match="the URL must be") as caught:
        Http(url)
    assert "pass" not in str(caught.value)


async def test_an_evaluation_tells_what_went_wrong_where() -> None:
    async with serve(lambda _: Reply(status=500)) as server, Http(server.url, attempts=1) as io:
        with pytest.raises(FileError) as caught:
            await aionix.evaluate("import /f.nix", io=io)
        assert "/f.nix" in str(caught.value)
        assert "500 Internal Server Error" in str(caught.value)


@pytest.fixture
def without_httpx2(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in sys.modules if name.startswith("io_backends.http")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "httpx2", None)
    yield


@pytest.mark.usefixtures("without_httpx2")
def test_a_missing_package_is_named() -> None:
    import io_backends

    with pytest.raises(ImportError, match=r'pip install "aionix-eval\[http\]"'):
        _ = io_backends.Http
