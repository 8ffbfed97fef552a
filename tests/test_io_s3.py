"""Objects of a bucket as a backend, served by moto."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count

import boto3
import pytest
from moto.server import ThreadedMotoServer
from same_tree import PLAIN, evaluates_as_in_memory

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
