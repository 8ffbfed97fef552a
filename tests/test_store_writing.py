"""Derivations written as files, and read again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from aionix.errors import ConversionError, FileError
from aionix.store import Derivation, Output, VirtualStore, Wanted
from aionix.store import reading as reading_module
from aionix.store.aterm import unparse
from io_backends import LocalDisk, Memory, WritableMemory

pytestmark = pytest.mark.anyio


def base(path: str) -> str:
    return path.rpartition("/")[2]


def stored() -> tuple[VirtualStore, str, str, str]:
    store = VirtualStore()
    script = store.add_text("script", b"echo")
    low = store.instantiate(Derivation("low", {"out": Output()}, input_sources={script}))
    inputs = {low: Wanted(frozenset({"out"}))}
    high = store.instantiate(Derivation("high", {"out": Output()}, inputs))
    return store, low, high, store.instantiate(Derivation("other", {"out": Output()}))


async def shelf(store: VirtualStore) -> Mapping[str, bytes]:
    place = WritableMemory()
    await store.write_to(place)
    return {name: data for name, data in place.tree.items() if isinstance(data, bytes)}


async def test_everything_is_written_unless_told_otherwise() -> None:
    store, low, high, other = stored()
    files = await shelf(store)
    assert files == {base(path): unparse(store.derivations[path]) for path in (low, high, other)}


async def test_roots_are_written_with_what_they_need() -> None:
    store, low, high, _ = stored()
    place = WritableMemory()
    assert await store.write_to(place, [high]) == sorted([low, high])
    assert set(place.tree) == {base(low), base(high)}
    with pytest.raises(FileError, match="is not valid"):
        await store.write_to(place, ["/nix/store/x.drv"])


async def test_a_directory_is_made_and_files_in_it_are_replaced(tmp_path: Path) -> None:
    store, low, *_ = stored()
    directory = tmp_path / "new" / "drvs"
    for _ in range(2):
        await store.write_to(directory)
        (directory / base(low)).write_bytes(b"old")
    await store.write_to(str(directory))
    assert {file.name: file.read_bytes() for file in directory.iterdir()} == await shelf(store)


async def test_a_directory_that_cannot_be_written_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    store, low, _, _ = stored()
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="Not a directory"):
        await store.write_to(tmp_path / "file" / "below")
    (tmp_path / base(low)).mkdir()
    with pytest.raises(FileError, match="Is a directory"):
        await store.write_to(tmp_path, [low])
    assert set(os.listdir(tmp_path)) == {"file", base(low)}


async def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    store, low, high, other = stored()
    await store.write_to(tmp_path)
    again = VirtualStore()
    assert await again.read_from(LocalDisk(), str(tmp_path / base(high))) == high
    assert again.derivations == {path: store.derivations[path] for path in (low, high)}
    assert await again.read_from(LocalDisk(), str(tmp_path / base(other))) == other
    assert again.derivations == store.derivations


async def test_only_what_is_needed_is_read() -> None:
    store, low, high, other = stored()
    files = dict(await shelf(store)) | {base(other): b"not looked at"}
    again = VirtualStore()
    await again.read_from(Memory({"drvs": files}), f"/drvs/{base(high)}")
    assert set(again.derivations) == {low, high}


async def test_a_file_may_have_a_name_of_its_own() -> None:
    store, low, _, _ = stored()
    again = VirtualStore()
    files = {"low.drv": (await shelf(store))[base(low)]}
    assert await again.read_from(Memory(files), "/low.drv") == low


async def test_files_that_are_not_what_they_should_be_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    store, low, high, _ = stored()
    files = await shelf(store)
    low_text = files[base(low)]

    async def refused(files: Mapping[str, bytes], name: str, kind: type[Exception], problem: str) -> None:
        fresh = VirtualStore()
        with pytest.raises(kind, match=problem):
            await fresh.read_from(Memory({"d": files}), f"/d/{name}")
        assert fresh.derivations == {}

    await refused({}, base(low), FileError, "No such file")
    await refused({base(low): b""}, base(low), ConversionError, "expected string")
    await refused({"low": low_text}, "low", ConversionError, "its name does not end in '.drv'")
    await refused({base(high): files[base(high)]}, base(high), FileError, base(low))
    changed = low_text.replace(b'"","",[],[("out"', b'"x","",[],[("out"')
    assert changed != low_text
    await refused({base(low): changed}, base(low), ConversionError, "has the content of")
    await refused({**files, base(low): changed}, base(high), ConversionError, "has the content of")
    strange = b'Derive([("out","/\xff/0wz4lz2ywmrqznrvy166fq0xngpb91n7-x","sha1","%s")],[],[],"x","b",[],[])' % (b"00" * 20)
    await VirtualStore().read_from(Memory({"x.drv": strange}), "/x.drv")
    elsewhere = files[base(high)].replace(b"/nix/store", b"/gnu/store")
    await refused({"x.drv": elsewhere}, "x.drv", ConversionError, "is not in the store '/nix/store'")
    monkeypatch.setattr(reading_module, "MAX_FILE_SIZE", 10)
    await refused({base(low): low_text}, base(low), ConversionError, "too large")


async def test_deep_chains_are_written_and_read() -> None:
    store = VirtualStore()
    needed: dict[str, Wanted] = {}
    for index in range(2000):
        path = store.instantiate(Derivation(f"d{index}", {"out": Output()}, needed))
        needed = {path: Wanted(frozenset({"out"}))}
    again = VirtualStore()
    assert await again.read_from(Memory(await shelf(store)), f"/{base(path)}") == path
    assert again.derivations == store.derivations


async def test_a_large_file_is_read_like_any_other() -> None:
    store = VirtualStore()
    path = store.instantiate(Derivation("large", {"out": Output()}, environment={"text": "\\\n" * 100_000}))
    again = VirtualStore()
    assert await again.read_from(Memory({"d": await shelf(store)}), f"/d/{base(path)}") == path
    assert again.derivations == store.derivations
