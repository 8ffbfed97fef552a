"""Binary caches as backends: store paths are read through narinfo and NAR, and no lie comes through."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
import pytest
from caches import (
    BASE,
    PACKERS,
    PATH,
    PUBLIC_KEY,
    cache_of,
    cache_with,
    described,
    listing,
    packed_nar,
    signed,
)
from servers import Files, serve
from test_io_contract import Under

from aionix.io import EvalIO, FileReader, FileType
from aionix.store.hashes import Hash, hash_bytes
from aionix.store.nar import field, nar_hash
from aionix.store.narinfo import NarInfo
from aionix.store.paths import source_path
from io_backends import BinaryCache, Executable, Http, Memory, Symlink, Tracing, contract
from io_backends.http import Plain
from io_backends.memory import Node

pytestmark = pytest.mark.anyio

TREE: dict[str, Node] = {
    "a.txt": "alpha\n",
    "bin": {"run": Executable("#!/bin/sh\n")},
    "large": bytes(range(256)) * 3_000,
    "link": Symlink("bin/run"),
}


def opened(cache: dict[str, Node] | EvalIO, **options: object) -> BinaryCache:
    io = cache if isinstance(cache, EvalIO) else Memory(cache)
    return BinaryCache(io, trusted_public_keys=[PUBLIC_KEY], **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("use_listings", [False, True])
@pytest.mark.parametrize("compression", ["none", "zstd"])
@pytest.mark.parametrize("check", contract.checks(without={"absolute links"}), ids=str)
async def test_caches_keep_the_contract(
    check: contract.Check, compression: str, use_listings: bool
) -> None:
    async def make(tree: contract.Tree) -> EvalIO:
        cache = await cache_of(tree, compression)
        return Under(opened(cache, use_listings=use_listings), PATH)

    await check(make)


@pytest.mark.parametrize("compression", PACKERS)
async def test_a_store_path_has_the_tree_of_its_nar(compression: str) -> None:
    async with opened(await cache_of(TREE, compression)) as store:
        assert await nar_hash(store, PATH) == await nar_hash(Memory(TREE), "/")
        assert await store.read(f"{PATH}/link") == b"#!/bin/sh\n"


async def test_links_lead_from_one_store_path_to_another() -> None:
    other = "1" * 32 + "-other"
    first = await cache_of({"to": Symlink(f"/nix/store/{other}/f"), "out": Symlink("/etc/passwd")})
    second = await cache_of({"f": "found"}, base=other)
    cache = first | second | {"nar": {**first["nar"], **second["nar"]}}  # type: ignore[dict-item]
    async with opened(cache) as store:
        assert await store.read(f"{PATH}/to") == b"found"
        assert await store.resolve(f"{PATH}/to") == f"/nix/store/{other}/f"
        with pytest.raises(FileNotFoundError):
            await store.read(f"{PATH}/out")


async def test_what_is_above_the_store_paths() -> None:
    async with opened(await cache_of(TREE)) as store:
        assert await store.read_dir("/") == {"nix": FileType.DIRECTORY}
        assert await store.read_dir("/nix") == {"store": FileType.DIRECTORY}
        assert await store.file_type("/nix/store") is FileType.DIRECTORY
        with pytest.raises(OSError, match="cannot be listed") as caught:
            await store.read_dir("/nix/store")
        assert caught.value.errno == errno.ENOTSUP
        for missing in ("/nix/store/" + "3" * 32 + "-gone", "/nix/store/short", "/etc", PATH + "x"):
            assert not await store.path_exists(missing)
            with pytest.raises(FileNotFoundError):
                await store.read(missing)


async def test_a_cache_may_lie_in_a_directory_and_be_of_another_store() -> None:
    nar = await packed_nar(TREE)
    info = replace(described(nar), path=f"/my/store/{BASE}")
    cache = {"sub": {"cache": cache_with(signed(info), nar)}}
    async with opened(Memory(cache), directory="/sub/cache/", store_dir="/my/store") as store:
        assert await store.read(f"/my/store/{BASE}/a.txt") == b"alpha\n"
        assert store.store_dir() == "/my/store"


# What C++ Nix 2.26.3 wrote: a store path that is not made from its hash, and the one it refers to.
NIX_KEY = "test-1:RJgL1F2olIm6AmJA3DFTmYZwmVsiB3pgsW24VvWf0Z8="
NIX_NARINFO = """StorePath: /nix/store/0b1dsmsmx3bl1fxdnmlqmd3mafyxd6fv-signed
URL: nar/11ngycg8dmd5sn3b876irqx6xx4f8nfi5rkrsh5hgsjg0i86n54g.nar
Compression: none
FileHash: sha256:11ngycg8dmd5sn3b876irqx6xx4f8nfi5rkrsh5hgsjg0i86n54g
FileSize: 816
NarHash: sha256:11ngycg8dmd5sn3b876irqx6xx4f8nfi5rkrsh5hgsjg0i86n54g
NarSize: 816
References: 0b1dsmsmx3bl1fxdnmlqmd3mafyxd6fv-signed hiysz1rh0wpnm27f6imh6qsfh8x94s0l-data
Sig: test-1:tIPy+Wrhiibs9/cjcxq/s9LyhZbY0KJ0g0gyAdsPo9UpYdIMp0drABHeEDHaCXsZIQmIDvgYLB5G6N167pDbAQ==
"""
NIX_LISTING = """{"root":{"entries":{"link":{"target":"/nix/store/hiysz1rh0wpnm27f6imh6qsfh8x94s0l-data/a.txt",
"type":"symlink"},"ref":{"narOffset":472,"size":49,"type":"regular"},
"self":{"target":"/nix/store/0b1dsmsmx3bl1fxdnmlqmd3mafyxd6fv-signed/ref","type":"symlink"}},"type":"directory"},
"version":1}"""
NIX_PATH = "/nix/store/0b1dsmsmx3bl1fxdnmlqmd3mafyxd6fv-signed"


async def nix_cache(narinfo: str = NIX_NARINFO) -> dict[str, Node]:
    data = "/nix/store/hiysz1rh0wpnm27f6imh6qsfh8x94s0l-data"
    tree = {"link": Symlink(f"{data}/a.txt"), "ref": f"{data}\n", "self": Symlink(f"{NIX_PATH}/ref")}
    return {
        "0b1dsmsmx3bl1fxdnmlqmd3mafyxd6fv.narinfo": narinfo,
        "0b1dsmsmx3bl1fxdnmlqmd3mafyxd6fv.ls": NIX_LISTING,
        "nar": {"11ngycg8dmd5sn3b876irqx6xx4f8nfi5rkrsh5hgsjg0i86n54g.nar": await packed_nar(tree)},
    }


@pytest.mark.parametrize("use_listings", [False, True])
async def test_what_nix_signed_is_believed(use_listings: bool) -> None:
    cache = Memory(await nix_cache())
    async with BinaryCache(cache, trusted_public_keys=[NIX_KEY], use_listings=use_listings) as store:
        assert await store.read(f"{NIX_PATH}/self") == b"/nix/store/hiysz1rh0wpnm27f6imh6qsfh8x94s0l-data\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Sig: test-1:tIPy", "Sig: test-1:tIPz"),
        ("Sig: test-1:", "Sig: other:"),
        ("Sig: test-1:", "Sig: "),
        ("==\n", "\n"),
        ("NarSize: 816", "NarSize: 817"),
        ("References: 0b1dsmsmx3bl1fxdnmlqmd3mafyxd6fv-signed ", "References: "),
        ("NarHash: sha256:11n", "NarHash: sha256:01n"),
    ],
)
async def test_what_was_changed_after_it_was_signed_is_not(old: str, new: str) -> None:
    assert old in NIX_NARINFO
    cache = await nix_cache(NIX_NARINFO.replace(old, new))
    for keys in ([NIX_KEY], [], [PUBLIC_KEY]):
        async with BinaryCache(Memory(cache), trusted_public_keys=keys) as store:
            with pytest.raises(PermissionError, match="no signature by a trusted key") as caught:
                await store.read(f"{NIX_PATH}/ref")
            assert caught.value.filename == NIX_PATH


async def test_one_trusted_signature_among_others_is_enough() -> None:
    cache = await nix_cache("Sig: nonsense\nSig: test-1:AAAA\n" + NIX_NARINFO)
    async with BinaryCache(Memory(cache), trusted_public_keys=[PUBLIC_KEY, NIX_KEY]) as store:
        assert await store.read(f"{NIX_PATH}/ref")


async def test_unsigned_is_for_those_who_ask_for_it() -> None:
    nar = await packed_nar(TREE)
    cache = cache_with(described(nar), nar)
    async with opened(cache) as store:
        with pytest.raises(PermissionError):
            await store.read(f"{PATH}/a.txt")
        with pytest.raises(PermissionError):  # it is there, but not for us
            await store.path_exists(f"{PATH}/a.txt")
    async with opened(cache, require_signatures=False) as store:
        assert await store.read(f"{PATH}/a.txt") == b"alpha\n"


async def test_a_path_that_is_made_from_the_hash_needs_no_signature() -> None:
    nar = await packed_nar(TREE)
    path = source_path("tree", hash_bytes("sha256", nar).digest)
    info = replace(described(nar, base=path.rpartition("/")[2]))
    async with opened(cache_with(info, nar)) as store:
        assert await store.read(f"{path}/a.txt") == b"alpha\n"


@pytest.mark.parametrize("key", ["", "name", "name:AAAA", "name:" + "!" * 44])
def test_what_is_no_key_is_refused_at_once(key: str) -> None:
    with pytest.raises(ValueError, match="is no public key"):
        BinaryCache(Memory({}), trusted_public_keys=[key])


# Signed lies: whoever signs may err, and without signatures anybody may say so.
LIES: dict[str, tuple[Callable[[NarInfo], NarInfo], str, int]] = {
    "another store path": (
        lambda info: replace(info, path="/nix/store/" + "1" * 32 + "-tree"),
        "narinfo is that of",
        errno.EINVAL,
    ),
    "another name": (
        lambda info: replace(info, path="/nix/store/" + "0" * 32 + "-three"),
        "its name in the binary cache",
        errno.ENOENT,
    ),
    "NAR hash": (lambda info: replace(info, nar_hash=hash_bytes("sha256", b"")), "NAR has another hash", errno.EINVAL),
    "a weak hash": (lambda info: replace(info, nar_hash=hash_bytes("md5", b"")), "no SHA-256", errno.EINVAL),
    "NAR size": (lambda info: replace(info, nar_size=info.nar_size + 8), "bytes, not", errno.EINVAL),
    "file hash": (
        lambda info: replace(info, file_hash=Hash("sha256", bytes(32))),
        "NAR's file has another hash",
        errno.EINVAL,
    ),
    "file size": (lambda info: replace(info, file_size=info.file_size + 1), "bytes, not", errno.EINVAL),
    "smaller": (lambda info: replace(info, file_size=info.file_size - 1), "more than", errno.EFBIG),
    "huge": (lambda info: replace(info, nar_size=1 << 50), "more than 4294967296", errno.EFBIG),
    "huge file": (lambda info: replace(info, file_size=1 << 50), "more than 4294967296", errno.EFBIG),
    "up": (lambda info: replace(info, url="../nar/x.nar"), "outside", errno.EINVAL),
    "absolute": (lambda info: replace(info, url="/etc/passwd"), "outside", errno.EINVAL),
    "elsewhere": (lambda info: replace(info, url="https://evil.example/x.nar"), "outside", errno.EINVAL),
    "a file": (lambda info: replace(info, url="file:///etc/passwd"), "outside", errno.EINVAL),
    "nowhere": (lambda info: replace(info, url="nar/gone.nar"), "No such file", errno.EIO),
    "compression": (lambda info: replace(info, compression="br"), "not known: br", errno.ENOTSUP),
    "xz that is none": (lambda info: replace(info, compression="xz"), "not a sound archive", errno.EINVAL),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_narinfo_that_lies_is_refused(lie: str) -> None:
    change, problem, code = LIES[lie]
    nar = await packed_nar(TREE)
    true = described(nar)
    told = signed(change(true))
    cache = cache_with(true, nar) | {"0" * 32 + ".narinfo": told.to_text()}
    async with opened(cache) as store:
        for _ in range(2):
            with pytest.raises(OSError, match=problem) as caught:
                await store.read(f"{PATH}/a.txt")
            assert caught.value.errno == code
            assert caught.value.filename in (PATH, f"{PATH}/a.txt")


@pytest.mark.parametrize("narinfo", ["", "StorePath", "x" * (2 << 20), "StorePath: /nix/store/../etc\n", "\0\n"])
async def test_what_is_no_narinfo_is_refused(narinfo: str) -> None:
    async with opened({"0" * 32 + ".narinfo": narinfo}) as store:
        with pytest.raises(OSError, match=r"corrupt|more than") as caught:
            await store.read_dir(PATH)
        assert caught.value.errno in (errno.EINVAL, errno.EFBIG)


def hostile(name: str) -> bytes:
    words = ("nix-archive-1", "(", "type", "directory", "entry", "(", "name", name, "node", "(", "type")
    words += ("regular", "contents", "x", ")", ")", ")")
    return b"".join([field(word.encode()) for word in words])


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "/etc", "a\0b"])
async def test_names_that_lead_out_of_a_nar_are_refused(name: str) -> None:
    nar = hostile(name)
    async with opened(cache_with(signed(described(nar)), nar)) as store:
        with pytest.raises(OSError, match="invalid file name"):
            await store.read_dir(PATH)


async def test_a_nar_that_is_inflated_to_more_than_was_said_is_refused() -> None:
    bomb = PACKERS["zstd"](await packed_nar({"f": bytes(30 << 20)}))
    small = described(await packed_nar({"f": "x"}))
    info = replace(small, compression="zstd", file_hash=None, file_size=0)
    async with opened(cache_with(signed(info), bomb)) as store:
        with pytest.raises(OSError, match="more than") as caught:
            await store.read(f"{PATH}/f")
        assert caught.value.errno == errno.EFBIG


# Listings.


async def with_listing(change: Callable[[dict[str, object]], object], compression: str = "none") -> dict[str, Node]:
    nar = await packed_nar(TREE)
    ls = json.loads(listing(nar))
    changed = change(ls)
    data = json.dumps(ls if changed is None else changed).encode()
    return cache_with(signed(described(nar, compression)), PACKERS[compression](nar), data)


def entries(ls: dict[str, object]) -> dict[str, dict[str, object]]:
    root = ls["root"]
    assert isinstance(root, dict)
    return root["entries"]


@pytest.mark.parametrize(
    "change",
    [
        lambda ls: [],
        lambda ls: {"version": 2},
        lambda ls: {"version": 1},
        lambda ls: entries(ls).update({"..": entries(ls)["a.txt"]}),
        lambda ls: entries(ls).update({"a/b": entries(ls)["a.txt"]}),
        lambda ls: entries(ls)["a.txt"].update(type="fifo"),
        lambda ls: entries(ls)["a.txt"].update(size=1 << 40),
        lambda ls: entries(ls)["a.txt"].update(size=-1),
        lambda ls: entries(ls)["a.txt"].update(size=True),
        lambda ls: entries(ls)["a.txt"].update(narOffset=5),
        lambda ls: entries(ls)["link"].update(target="x" * 5000),
        lambda ls: entries(ls).update({str(n): entries(ls)["a.txt"] for n in range(20)}),
    ],
)
async def test_a_listing_that_cannot_be_is_refused(change: Callable[[dict[str, object]], object]) -> None:
    async with opened(await with_listing(change), use_listings=True, max_entries=20) as store:
        with pytest.raises(OSError, match="not a sound archive") as caught:
            await store.read_dir(PATH)
        assert caught.value.errno == errno.EINVAL
    async with opened(await with_listing(change)) as store:  # who trusts no listing reads none
        assert await store.read(f"{PATH}/a.txt") == b"alpha\n"


@pytest.mark.parametrize("text", [b"", b"{", b'{"a":' * 100_000, b"[" * 100_000, b'"' + b"[" * 600 + b'"', b"\xff"])
async def test_what_is_no_listing_is_refused(text: bytes) -> None:
    nar = await packed_nar(TREE)
    async with opened(cache_with(signed(described(nar)), nar, text), use_listings=True) as store:
        with pytest.raises(OSError, match="not a sound archive"):
            await store.read_dir(PATH)


@pytest.mark.parametrize("compression", ["none", "xz"])
@pytest.mark.parametrize("change", [{"size": 5}, {"narOffset": 1000}])
async def test_a_listing_of_another_nar_is_noticed(change: dict[str, int], compression: str) -> None:
    cache = await with_listing(lambda ls: entries(ls)["a.txt"].update(change), compression)
    async with opened(cache, use_listings=True) as store:
        with pytest.raises(OSError, match="the listing is of another NAR") as caught:
            await store.read(f"{PATH}/a.txt")
        assert caught.value.filename == f"{PATH}/a.txt"
        assert await store.read(f"{PATH}/bin/run") == b"#!/bin/sh\n"


@pytest.mark.parametrize("packed", ["gzip", "xz", "zstd"])
async def test_listings_and_narinfos_may_be_compressed(packed: str) -> None:
    cache = await cache_of(TREE)
    for name in ("0" * 32 + ".ls", "0" * 32 + ".narinfo"):
        data = cache[name]
        assert isinstance(data, str | bytes)
        cache[name] = PACKERS[packed](data.encode() if isinstance(data, str) else data)
    async with opened(cache, use_listings=True) as store:
        assert await store.read(f"{PATH}/a.txt") == b"alpha\n"


# A server.


@asynccontextmanager
async def served(cache: dict[str, Node], **options: object) -> AsyncIterator[tuple[BinaryCache, Callable[[], dict[str, int]]]]:
    async with serve(Files(cache)) as server, Http(server.url, Plain(index=None)) as io, opened(io, **options) as store:
        yield store, lambda: dict(server.counts)


@pytest.mark.parametrize("compression", ["none", "xz"])
async def test_a_store_path_costs_a_narinfo_and_a_nar(compression: str) -> None:
    async with served(await cache_of({"a": "x", "b": {"c": "y"}}, compression)) as (store, counts):
        async with anyio.create_task_group() as group:
            for path in ("a", "b/c", "a", "b"):
                group.start_soon(store.path_exists, f"{PATH}/{path}")
        assert await store.read(f"{PATH}/b/c") == b"y"
        assert counts() == {f"/{'0' * 32}.narinfo": 1, f"/nar/{'0' * 32}.nar": 1}


async def test_what_is_missing_is_asked_for_once() -> None:
    async with served({}) as (store, counts):
        for _ in range(3):
            assert not await store.path_exists(f"{PATH}/a")
        assert counts() == {f"/{'0' * 32}.narinfo": 1}


async def test_with_a_listing_one_file_of_a_large_nar_costs_few_bytes() -> None:
    tree: dict[str, Node] = {"f": "small", "large": bytes(20 << 20)}
    nar = await packed_nar(tree)
    async with (
        serve(Files(cache_with(signed(described(nar)), nar, listing(nar)))) as server,
        Http(server.url, Plain(index=None)) as io,
        opened(io, use_listings=True) as store,
    ):
        assert await store.read_dir(PATH) == {"f": FileType.REGULAR, "large": FileType.REGULAR}
        assert not any([request.path.startswith("/nar/") for request in server.requests])
        assert await store.read(f"{PATH}/f") == b"small"
        async with store.open(f"{PATH}/large") as file:
            assert file.size == 20 << 20
            assert await file.read(10) == bytes(10)
        ranges = [request.headers["range"] for request in server.requests if "range" in request.headers]
        assert all([int(span.partition("-")[2]) < 6 << 20 for span in ranges])
        assert len(ranges) == 2
        assert server.counts[f"/nar/{'0' * 32}.nar"] <= 3  # it was looked at, too


class Failing(Memory):
    """Says nothing when it is asked for the first time for each of the files whose name ends so."""

    def __init__(self, tree: dict[str, Node], ending: str) -> None:
        super().__init__(tree)
        self.ending = ending
        self.asked = 0

    @asynccontextmanager
    async def open(self, path: str) -> AsyncIterator[FileReader]:
        self.asked += path.endswith(self.ending)
        if path.endswith(self.ending) and self.asked == 1:
            raise TimeoutError(errno.ETIMEDOUT, "the server says nothing", path)
        async with super().open(path) as file:
            yield file


@pytest.mark.parametrize("ending", [".narinfo", ".ls", ".nar"])
async def test_a_failure_to_fetch_is_told_and_not_kept(ending: str) -> None:
    async with opened(Failing(await cache_of(TREE), ending), use_listings=True) as store:
        with pytest.raises(TimeoutError, match="the server says nothing") as caught:
            await store.read(f"{PATH}/a.txt")
        assert caught.value.filename in (PATH, f"{PATH}/a.txt")
        assert await store.read(f"{PATH}/a.txt") == b"alpha\n"


async def test_nars_that_were_not_used_for_longest_are_dropped() -> None:
    cache: dict[str, Node] = {"nar": {}}
    bases = [f"{number:032}-p" for number in range(4)]
    for base in bases:
        made = await cache_of({"f": base * 1000}, base=base)
        cache |= made | {"nar": {**cache["nar"], **made["nar"]}}  # type: ignore[dict-item]
    for size, fetched in ((1 << 20, 4), (80_000, 8)):
        io = Tracing(Memory(cache))
        async with opened(io, max_kept_size=size) as store:
            for base in bases + bases:
                assert len(await store.read(f"/nix/store/{base}/f")) == 34_000
        assert sum([calls.count for path, calls in io.by_path.items() if path.endswith(".nar")]) == fetched


async def test_what_it_keeps_on_the_disk_is_closed_with_it() -> None:
    cache = await cache_of(TREE, "xz")
    before = len(os.listdir("/dev/fd"))
    async with opened(cache) as store:
        await store.read(f"{PATH}/a.txt")
    assert len(os.listdir("/dev/fd")) <= before  # an earlier test's may have gone meanwhile
