"""Objects of a bucket as a backend, served by moto."""

from __future__ import annotations

import errno
import os
import socket
import traceback
from collections.abc import Iterator, Mapping
from itertools import count

import anyio
import boto3
import pytest
from moto.server import ThreadedMotoServer
from same_tree import PLAIN, evaluates_as_in_memory
from servers import Handler, Reply, Request, serving_in_thread

from aionix.io import FileType
from io_backends import S3, contract
from io_backends.memory import Node

pytestmark = pytest.mark.anyio

WITHOUT = {"links", "absolute links", "executables", "byte names"}
NUMBERS = count()
KEYS = {"access_key_id": "AKIDOFOURS", "secret_access_key": "topsecret"}


class Server:
    """moto's S3, with buckets made of trees."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = boto3.client(
            "s3", endpoint_url=url, aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1"
        )

    def bucket(self, tree: Mapping[str, Node], prefix: str = "") -> str:
        name = f"bucket-{next(NUMBERS)}"
        self.client.create_bucket(Bucket=name)
        self.upload(name, tree, prefix)
        return name

    def upload(self, bucket: str, tree: Mapping[str, Node], above: str) -> None:
        if not tree:
            self.client.put_object(Bucket=bucket, Key=above, Body=b"")
        for name, node in tree.items():
            if isinstance(node, Mapping):
                self.upload(bucket, node, f"{above}{name}/")
            else:
                assert isinstance(node, str | bytes)
                self.client.put_object(Bucket=bucket, Key=above + name, Body=node)

    def s3(self, bucket: str, prefix: str = "", **options: float) -> S3:
        return S3(bucket, prefix, endpoint_url=self.url, region="us-east-1", **KEYS, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    yield Server(f"http://{host}:{port}")
    moto.stop()


@pytest.mark.parametrize("check", contract.checks(without=WITHOUT), ids=str)
async def test_a_prefix_of_a_bucket_keeps_the_contract(check: contract.Check, server: Server) -> None:
    async with server.s3(server.bucket(check.tree, "below/a prefix/"), "below/a prefix/") as io:
        await check(lambda tree: io)


async def test_an_evaluation_reads_it_as_it_reads_the_same_tree_in_memory(server: Server) -> None:
    async with server.s3(server.bucket(PLAIN)) as io:
        await evaluates_as_in_memory(io, PLAIN)


async def fails(io: S3, code: int, words: str, path: str = "/a") -> None:
    for look in (io.read(path), io.file_type(path), io.read_dir(path), io.path_exists(path)):
        with pytest.raises(OSError, match=words) as caught:
            await look
        assert caught.value.errno == code
        assert caught.value.filename == path
        told = "".join(traceback.format_exception(caught.value)) + repr(io)
        assert "secret" not in told
        assert "AKID" not in told


async def test_a_bucket_that_is_not_there_is_no_missing_file(server: Server) -> None:
    async with server.s3("no-such-bucket") as io:
        await fails(io, errno.ENXIO, "NoSuchBucket|No such device")


def refusing(status: int, code: str) -> Handler:
    body = f"<Error><Code>{code}</Code><Message>the key AKIDOFOURS is secret</Message></Error>"
    return lambda request: Reply(body.encode(), status=status, headers={"content-type": "application/xml"})


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (403, "SignatureDoesNotMatch", errno.EACCES),
        (403, "InvalidAccessKeyId", errno.EACCES),
        (401, "Unauthorized", errno.EACCES),
        (400, "ExpiredToken", errno.EIO),
        (301, "PermanentRedirect", errno.EIO),
    ],
)
async def test_a_server_that_refuses_is_told_by_its_code(status: int, code: str, expected: int) -> None:
    with serving_in_thread(refusing(status, code)) as server:
        async with S3("bucket", endpoint_url=server.url, **KEYS) as io:
            await fails(io, expected, "s3: ")


async def test_garbage_and_silence_are_told_in_bounded_time() -> None:
    async def hang(request: Request) -> Reply:
        await anyio.sleep_forever()
        raise AssertionError

    with serving_in_thread(hang) as server:
        async with S3("bucket", endpoint_url=server.url, timeout=0.2, **KEYS) as io:
            start = anyio.current_time()
            await fails(io, errno.ETIMEDOUT, "no answer within 0.2 s")
            assert anyio.current_time() - start < 10
    with serving_in_thread(lambda request: Reply(b"<html>", raw=True)) as server:
        async with S3("bucket", endpoint_url=server.url, timeout=20, **KEYS) as io:
            await fails(io, errno.EIO, "s3: ")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    async with S3("bucket", endpoint_url=url, timeout=20, **KEYS) as io:
        await fails(io, errno.ECONNREFUSED, "Connection refused")


async def test_an_object_that_is_cut_off_is_noticed() -> None:
    head = {"content-length": "1000", "last-modified": "Thu, 01 Jan 1970 00:00:00 GMT", "etag": '"x"'}
    with serving_in_thread(lambda request: Reply(b"short", headers=head)) as server:
        async with S3("bucket", endpoint_url=server.url, timeout=20, **KEYS) as io:
            with pytest.raises(OSError, match="s3: ") as caught:
                await io.read("/a")
            assert caught.value.errno == errno.EIO


async def test_public_buckets_are_asked_without_a_signature() -> None:
    seen: list[bool] = []

    def public(request: Request) -> Reply:
        seen.append("authorization" in request.headers)
        return Reply(b"here", headers={"last-modified": "Thu, 01 Jan 1970 00:00:00 GMT", "etag": '"x"'})

    with serving_in_thread(public) as server:
        async with S3("bucket", endpoint_url=server.url, anonymous=True) as io:
            assert await io.read("/a") == b"here"
    assert seen == [False]


async def test_large_files_come_in_pieces_and_have_a_bound(server: Server) -> None:
    data = os.urandom(5_000_000)
    bucket = server.bucket({"f": data, "d": {str(number): "" for number in range(30)}})
    async with server.s3(bucket, max_file_size=1_000_000, max_entries=20) as io:
        for look in (io.read("/f"), io.read_dir("/d")):
            with pytest.raises(OSError, match="more than") as caught:
                await look
            assert caught.value.errno == errno.EFBIG
        async with io.open("/f") as file:
            pieces = []
            while piece := await file.read(700_000):
                pieces.append(piece)
        assert b"".join(pieces) == data
        assert max(map(len, pieces)) <= 700_000
        async with io.open_range("/f", 4_000_000, 10) as file:
            assert await file.read(100) == data[4_000_000:4_000_010]


async def test_a_directory_of_several_pages_is_whole(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")
    bucket = server.bucket({f"f{number}": "" for number in range(35)})
    async with server.s3(bucket) as io:
        assert len(await io.read_dir("/")) == 35


async def test_pages_without_end_are_ended() -> None:
    asked = 0

    def endless(request: Request) -> Reply:
        nonlocal asked
        asked += 1
        keys = "".join(
            f"<Contents><Key>{asked}-{number}</Key><LastModified>2020-01-01T00:00:00Z</LastModified>"
            "<Size>1</Size></Contents>"
            for number in range(1000)
        )
        more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{asked}</NextContinuationToken>"
        return Reply(f"<ListBucketResult>{more}{keys}</ListBucketResult>".encode())

    with serving_in_thread(endless) as server:
        async with S3("bucket", endpoint_url=server.url, timeout=0.5, **KEYS) as io:
            with pytest.raises(OSError, match="no answer within") as caught:
                await io.read_dir("/")
            assert caught.value.errno == errno.ETIMEDOUT
            await anyio.sleep(0.1)  # what is on its way arrives
            before = asked
            assert before > 2
            await anyio.sleep(0.2)
            assert asked == before


async def test_keys_that_no_disk_has_hide_nothing_else(server: Server) -> None:
    bucket = server.bucket({"a": {"f": "f"}, "both": "file"})
    for key in ("a//x", "a/../b", "both/x", "marked/"):
        server.client.put_object(Bucket=bucket, Key=key, Body=b"")
    async with server.s3(bucket) as io:
        kinds = {"a": FileType.DIRECTORY, "both": FileType.REGULAR, "marked": FileType.DIRECTORY}
        assert await io.read_dir("/") == kinds
        assert await io.read("/both") == b"file"
        assert await io.file_type("/both") is FileType.REGULAR
        assert await io.read("/a/f") == b"f"
        assert await io.read_dir("/marked") == {}
        for path in ("/a\0b", "/a\nb"):
            with pytest.raises(OSError):
                await io.read(path)


async def test_outside_of_async_with_it_says_what_it_needs(server: Server, anyio_backend: str) -> None:
    io = server.s3(server.bucket({"f": "x"}))
    if anyio_backend == "asyncio":
        assert await io.read("/f") == b"x"
        return
    with pytest.raises(RuntimeError, match="on trio, use it inside `async with`"):
        await io.read("/f")
