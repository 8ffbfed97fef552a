"""Reading archives: what was written comes back, and nothing else is let through."""

from __future__ import annotations

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aionix.errors import ConversionError
from aionix.io import FileType
from aionix.store.nar import field, write_nar
from aionix.store.nar_reader import NarEntry, NarReader, nar_entries
from io_backends import Executable, Memory, Symlink
from io_backends.memory import Node

names = st.binary(min_size=1, max_size=9).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
names = names.filter(lambda name: not {"/", "\0"} & {*name} and name not in (".", ".."))
targets = st.text(st.characters(blacklist_characters="\0", codec="utf-8"), max_size=20)
contents = st.binary(max_size=30)
leaves: st.SearchStrategy[Node] = st.one_of(contents, contents.map(Executable), targets.map(Symlink))
trees = st.recursive(leaves, lambda below: st.dictionaries(names, below, max_size=5), max_leaves=12)


def archive(tree: Node) -> bytes:
    pieces: list[bytes] = []

    async def keep(piece: bytes) -> None:
        pieces.append(piece)

    async def write() -> None:
        await write_nar(Memory({"root": tree}), "/root", keep)

    anyio.run(write)
    return b"".join(pieces)


def unpacked(data: bytes) -> Node:
    made: dict[str, Node] = {}
    for entry in nar_entries(data):
        above, _, name = f"root/{entry.path}".rstrip("/").rpartition("/")
        inside = made
        for part in above.split("/") if above else []:
            child = inside[part]
            assert isinstance(child, dict)
            inside = child
        inside[name] = node(entry, data)
    return made["root"]


def node(entry: NarEntry, data: bytes) -> Node:
    if entry.kind is FileType.DIRECTORY:
        return {}
    if entry.kind is FileType.SYMLINK:
        return Symlink(entry.target)
    content = data[entry.offset : entry.offset + entry.size]
    return Executable(content) if entry.executable else content


@given(trees)
def test_what_was_written_comes_back(tree: Node) -> None:
    assert unpacked(archive(tree)) == tree


def seen(data: bytes, step: int) -> tuple[list[NarEntry], bytes]:
    found: list[NarEntry] = []
    bodies = bytearray()
    reader = NarReader(found.append, bodies.extend)
    for at in range(0, len(data), step):
        reader.feed(data[at : at + step])
    reader.close()
    return found, bytes(bodies)


@given(trees, st.integers(1, 100))
def test_the_pieces_that_it_comes_in_do_not_matter(tree: Node, step: int) -> None:
    data = archive(tree)
    found, bodies = seen(data, step)
    assert found == nar_entries(data)
    assert bodies == b"".join([data[entry.offset : entry.offset + entry.size] for entry in found])


SAMPLE = archive({"a": Executable("x"), "b": {"c": Symlink("../a"), "d": "12345678", "é": ""}})


@given(st.lists(st.tuples(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255)), max_size=3), st.data())
def test_changed_bytes_are_read_or_refused_and_what_is_read_is_what_is_there(
    changes: list[tuple[int, int]], more: st.DataObject
) -> None:
    data = bytearray(SAMPLE)
    for at, byte in changes:
        data[at] = byte
    start, end = sorted([more.draw(st.integers(0, len(data))) for _ in range(2)])
    if more.draw(st.booleans()):
        del data[start:end]
    try:
        tree = unpacked(bytes(data))
    except ConversionError:
        return
    assert archive(tree) == data


@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_refused(data: bytes) -> None:
    with pytest.raises(ConversionError):
        nar_entries(data)


def fields(*words: bytes) -> bytes:
    return b"".join([field(word) for word in words])


HEAD = (b"nix-archive-1", b"(", b"type")
FILE = (b"(", b"type", b"regular", b"contents", b"", b")")


def entry(name: bytes) -> tuple[bytes, ...]:
    return (b"entry", b"(", b"name", name, b"node", *FILE, b")")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (fields(b"nix-archive-2"), "input doesn't look like a Nix archive"),
        (b"\xff" * 8, "a string of 18446744073709551615 bytes is too long here"),
        (fields(*HEAD, b"device"), "unknown file type 'device'"),
        (fields(*HEAD, b"regular", b")"), r"expected tag 'contents', got '\)'"),
        (fields(*HEAD, b"regular", b"executable", b"x"), "executable marker has non-empty value"),
        (fields(*HEAD, b"regular", b"contents", b"", b"("), r"expected tag '\)', got '\('"),
        (fields(*HEAD, b"directory", b"node"), r"expected tag 'entry' or '\)', got 'node'"),
        (fields(*HEAD, b"directory", *entry(b"a"), *entry(b"a"), b")"), "NAR directory is not sorted"),
        (fields(*HEAD, b"directory", *entry(b"b"), *entry(b"a"), b")"), "NAR directory is not sorted"),
        (fields(*HEAD, b"symlink", b"target", b"a\0b", b")"), "invalid link target"),
        (fields(*HEAD, b"symlink", b"target", b"a" * 5000, b")"), "a string of 5000 bytes is too long here"),
        (fields(*HEAD, b"directory", b")")[:-8], "unexpected end-of-file"),
        (fields(*HEAD, b"directory", b")", b")"), "there are bytes after its end"),
        (fields(*HEAD, b"regular", b"contents", b"x", b")").replace(b"x\0", b"x\1"), "non-zero padding"),
        (fields(*HEAD)[:-1] + b"\1", "non-zero padding"),
    ],
)
def test_what_nobody_writes_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        nar_entries(data)


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a/b", b"/", b"a\0"])
def test_names_that_no_directory_has_are_refused(name: bytes) -> None:
    with pytest.raises(ConversionError, match="NAR contains invalid file name"):
        nar_entries(fields(*HEAD, b"directory", *entry(name), b")"))


def test_directories_inside_each_other_are_bounded() -> None:
    step = fields(b"entry", b"(", b"name", b"a", b"node", b"(", b"type", b"directory")
    with pytest.raises(ConversionError, match="is too long"):
        nar_entries(fields(*HEAD, b"directory") + step * 10_000)


def test_a_size_that_is_never_reached_takes_no_memory() -> None:
    head = fields(*HEAD, b"regular", b"contents")
    reader = NarReader(lambda entry: None)
    reader.feed(head + (1 << 62).to_bytes(8, "little") + b"some")
    with pytest.raises(ConversionError, match="unexpected end-of-file"):
        reader.close()
