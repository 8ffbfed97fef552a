"""Cache: fewer requests, the same answers; nothing half-read, stale, foreign or unbounded is given."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_io_contract import write_tree
from test_io_links import PATHS, TARGETS, sights, trees

from aionix.io import EvalIO, FileReader, FileType
from io_backends import Cache, Executable, LocalDisk, Memory, Symlink, Tracing, contract
from io_backends.answers import Answer, Failure, from_json, to_json
from io_backends.disk_store import DiskStore
from io_backends.memory import Node

pytestmark = pytest.mark.anyio

TREE: dict[str, Node] = {
    "a": "alpha",
    "raw": b"\xff\0",
    "d": {"run": Executable("x" * 1000), "l": Symlink("../a")},
    "big": b"b" * 300_000,
}


@pytest.mark.parametrize("check", contract.checks(), ids=str)
async def test_a_cache_keeps_the_contract(check: contract.Check, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    write_tree(tmp_path / "tree", check.tree)
    for inner in (Memory(check.tree), LocalDisk(tmp_path / "tree")):
        memory = Cache(inner)
        disk = Cache(inner, tmp_path / type(inner).__name__)
        for _ in range(2):
            await check(lambda tree, memory=memory: memory)  # type: ignore[misc]
            await check(lambda tree, disk=disk: disk)  # type: ignore[misc]


async def entered(io: EvalIO, path: str) -> tuple[FileType, bool, bytes | None]:
    async with io.open_entry(path) as entry:
        return entry.kind, entry.executable, entry.file and await entry.file.read(1 << 20)


async def opened(io: EvalIO, path: str) -> bytes:
    async with io.open(path) as file:
        return await file.read(1 << 20)


async def ranged(io: EvalIO, path: str) -> bytes:
    async with io.open_range(path, 1, 3) as file:
        return await file.read(9)


async def test_what_was_asked_is_not_asked_again() -> None:
    tracing = Tracing(Memory(TREE))
    cache = Cache(tracing)
    for _ in range(3):
        assert await cache.read("/a") == await opened(cache, "/a") == b"alpha"
        assert await entered(cache, "/d/run") == (FileType.REGULAR, True, b"x" * 1000)
        assert await entered(cache, "/d") == (FileType.DIRECTORY, False, None)
        assert await cache.is_executable("/d/run")
        assert await ranged(cache, "/a") == b"lph"
        with pytest.raises(FileNotFoundError) as caught:
            await cache.read("/no")
        assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, "/no")
        with pytest.raises(FileNotFoundError):
            await entered(cache, "/none")
    assert {key: calls.count for key, calls in tracing.calls.items()} == {
        ("read", "/a"): 1, ("open_entry", "/d/run"): 1, ("open_entry", "/d"): 1, ("read", "/no"): 1, ("open_entry", "/none"): 1,
    }  # fmt: skip
    assert (cache.hits, cache.misses, cache.asked) == (19, 5, 24)


async def test_a_listing_that_is_changed_by_who_got_it_stays_as_it_was() -> None:
    cache = Cache(Memory(TREE))
    (await cache.read_dir("/d")).clear()
    assert set(await cache.read_dir("/d")) == {"run", "l"}


class Failing(Memory):
    """Fails as it is told, and counts."""

    failure: Exception | None = None
    asked = 0

    async def read(self, path: str) -> bytes:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return await super().read(path)


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES, errno.ETIMEDOUT, errno.EISDIR, errno.ELOOP, errno.ECONNRESET])
async def test_other_errors_are_not_kept(code: int, tmp_path: Path) -> None:
    inner = Failing(TREE)
    cache = Cache(inner, tmp_path / "kept")
    inner.failure = OSError(code, "no luck", "/a")
    with pytest.raises(OSError, match="no luck") as caught:
        await cache.read("/a")
    assert caught.value.errno == code
    inner.failure = None
    assert await cache.read("/a") == b"alpha"


class Gated(Memory):
    """Answers when the gate is open."""

    def __init__(self) -> None:
        super().__init__(TREE)
        self.gate = anyio.Event()
        self.begun = 0

    async def read(self, path: str) -> bytes:
        self.begun += 1
        await self.gate.wait()
        return await super().read(path)


Look = Callable[[Cache], Awaitable[object]]


@pytest.mark.parametrize("look", [lambda io: io.read("/a"), lambda io: opened(io, "/a"), lambda io: entered(io, "/a")])
async def test_many_who_ask_at_once_make_one_request(look: Look) -> None:
    inner = Gated()
    cache = Cache(inner)
    async with anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(look, cache)
        await anyio.wait_all_tasks_blocked()
        inner.gate.set()
    assert (inner.begun, cache.hits) == (1, 49)


@pytest.mark.parametrize("look", [lambda io: io.read("/a"), lambda io: opened(io, "/a"), lambda io: entered(io, "/a")])
async def test_when_the_first_is_cancelled_the_others_are_answered(look: Look) -> None:
    inner = Gated()
    cache = Cache(inner)
    answers: list[object] = []
    first = anyio.CancelScope()

    async def ask(scope: anyio.CancelScope) -> None:
        with scope:
            answers.append(await look(cache))

    async with anyio.create_task_group() as group:
        for scope in (first, anyio.CancelScope(), anyio.CancelScope()):
            group.start_soon(ask, scope)
            await anyio.wait_all_tasks_blocked()
        first.cancel()
        await anyio.wait_all_tasks_blocked()
        inner.gate.set()
    assert len(answers) == 2
    assert await cache.read("/a") == b"alpha"
    assert inner.begun == 2


async def test_answers_are_used_for_their_time_counted_from_the_question() -> None:
    now = 1000.0
    tree: dict[str, Node] = {"a": "1"}
    cache = Cache(Memory(tree), max_age=10, clock=lambda: now)
    assert await cache.read("/a") == b"1"
    tree["a"] = "2"
    now = 1009.0
    assert await cache.read("/a") == b"1"
    now = 1010.0
    assert await cache.read("/a") == b"2"
    tree["a"] = "3"
    now = 500.0  # somebody set the clock
    assert await cache.read("/a") == b"3"


async def test_what_is_asked_while_all_is_forgotten_is_not_kept() -> None:
    inner = Gated()
    cache = Cache(inner)
    async with anyio.create_task_group() as group:
        group.start_soon(cache.read, "/a")
        await anyio.wait_all_tasks_blocked()
        await cache.clear()
        inner.gate.set()
    await cache.read("/a")
    assert inner.begun == 2


async def test_memory_is_bounded_and_what_was_used_longest_ago_goes_first() -> None:
    tracing = Tracing(Memory({f"f{number}": "x" * 1000 for number in range(100)}))
    cache = Cache(tracing, max_bytes=30_000)
    for number in range(100):
        await cache.read(f"/f{number}")
        await cache.read("/f0")
        assert cache.bytes <= 30_000
    await cache.read("/f99")
    assert tracing.calls["read", "/f0"].count == tracing.calls["read", "/f99"].count == 1
    await cache.read("/f50")
    assert tracing.calls["read", "/f50"].count == 2


async def test_what_is_too_large_to_keep_is_passed_through() -> None:
    tracing = Tracing(Memory(TREE))
    cache = Cache(tracing, max_bytes=1_000_000)
    for _ in range(2):
        assert await cache.read("/big") == await opened(cache, "/big") == b"b" * 300_000
        assert await entered(cache, "/big") == (FileType.REGULAR, False, b"b" * 300_000)
    assert cache.bytes < 10_000


class Short:
    size = 10

    async def read(self, count: int) -> bytes:
        return b""


class Lying(Memory):
    """A file that is shorter than it said."""

    @asynccontextmanager
    async def open(self, path: str) -> AsyncIterator[FileReader]:
        yield Short()


async def test_what_ends_too_early_is_not_kept() -> None:
    cache = Cache(Lying(TREE))
    assert await opened(cache, "/a") == b""
    assert await entered(cache, "/a") == (FileType.REGULAR, False, b"")
    assert await cache.read("/a") == b"alpha"


class Unplugged(EvalIO):
    """No more answers."""

    async def read(self, path: str) -> bytes:
        raise OSError(errno.EHOSTUNREACH, "unplugged", path)

    async def read_dir(self, path: str) -> dict[str, FileType]:
        raise OSError(errno.EHOSTUNREACH, "unplugged", path)

    async def file_type(self, path: str) -> FileType:
        raise OSError(errno.EHOSTUNREACH, "unplugged", path)


async def all_answers(io: EvalIO) -> list[object]:
    return [await sights(io, path) for path in ("/", "/a", "/raw", "/d", "/d/run", "/d/l", "/no")]


async def test_a_later_process_finds_the_answers_on_disk(tmp_path: Path) -> None:
    expected = await all_answers(Memory(TREE))
    assert await all_answers(Cache(Memory(TREE), tmp_path / "kept")) == expected
    again = Cache(Unplugged(), tmp_path / "kept")
    for found, wanted in zip(await all_answers(again), expected, strict=True):
        unkept = (errno.EISDIR, errno.EINVAL, errno.EHOSTUNREACH)  # errors of other kinds
        assert isinstance(found, list) and isinstance(wanted, list)
        assert all(one == other or one in unkept for one, other in zip(found, wanted, strict=True))
    assert again.disk_hits > 20
    assert os.stat(tmp_path / "kept").st_mode & 0o777 == 0o700
    await again.clear()
    assert os.listdir(tmp_path / "kept") == []


def spoil_cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def spoil_flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


def spoil_empty(path: Path) -> None:
    path.write_bytes(b"")


def spoil_foreign(path: Path) -> None:
    path.write_text('{"ask": "read", "path": "/a", "text": "foreign"}')


def spoil_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def spoil_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def spoil_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def spoil_swap(path: Path) -> None:
    other = DiskStore(path.parent, 1 << 20)
    other.put("another", b"1.0\n{}")
    (found,) = [each for each in path.parent.iterdir() if each != path]
    found.replace(path)


def spoil_meaning(path: Path) -> None:
    DiskStore(path.parent, 1 << 20).put("read\0/a", b'1.0\n{"ask": "read", "path": "/b", "text": "x"}')


def spoil_form(path: Path) -> None:
    DiskStore(path.parent, 1 << 20).put("read\0/a", b"1.0\n" + b"[" * 100_000)


@pytest.mark.parametrize(
    "spoil",
    [spoil_cut, spoil_flip, spoil_empty, spoil_foreign, spoil_link, spoil_fifo, spoil_directory, spoil_swap, spoil_meaning, spoil_form],
)  # fmt: skip
async def test_what_is_spoilt_on_disk_is_a_miss(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    await Cache(Memory(TREE), tmp_path).read("/a")
    await anyio.to_thread.run_sync(lambda: spoil(*tmp_path.iterdir()))
    cache = Cache(Memory({"a": "new"}), tmp_path)
    assert await cache.read("/a") == b"new"
    assert (cache.misses, cache.disk_hits) == (1, 0)


async def test_a_directory_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(PermissionError, match="others may write"):
        await Cache(Memory(TREE), tmp_path / "open").read("/a")


async def test_age_counts_on_disk_too(tmp_path: Path) -> None:
    await Cache(Memory({"a": "1"}), tmp_path, clock=lambda: 1000.0).read("/a")
    later = Cache(Memory({"a": "2"}), tmp_path, max_age=10, clock=lambda: 1009.0)
    assert await later.read("/a") == b"1"
    too_late = Cache(Memory({"a": "2"}), tmp_path, max_age=10, clock=lambda: 1010.0)
    assert await too_late.read("/a") == b"2"


def test_the_disk_is_bounded_and_keeps_what_was_used_last(tmp_path: Path) -> None:
    store = DiskStore(tmp_path, 20_000)
    for number in range(60):
        store.put(str(number), b"x" * 1000)
        os.utime(max(tmp_path.iterdir(), key=os.path.getmtime), (number, number))
        if store.get("0") is None:
            assert number > 40
        assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 21_100
    assert store.get("59") == b"x" * 1000
    store.put("large", b"x" * 5000)
    assert store.get("large") is None


def test_a_disk_that_cannot_be_written_is_a_cache_that_keeps_nothing(tmp_path: Path) -> None:
    store = DiskStore(tmp_path, 1 << 20)
    store.put("key", b"value")
    for file in tmp_path.iterdir():
        file.unlink()
        file.mkdir()
    store.put("key", b"value")
    assert store.get("key") is None
    assert len(list(tmp_path.iterdir())) == 1  # nothing unfinished is left


WRITER = """
import sys
from io_backends.disk_store import DiskStore
store = DiskStore(sys.argv[1], 20_000)
for round in range(12):
    for key in range(30):
        value = store.get(str(key))
        assert value in (None, str(key).encode() * 500), (key, value[:20])
        store.put(str(key), str(key).encode() * 500)
"""


def test_processes_may_share_a_directory(tmp_path: Path) -> None:
    running = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)]) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert all(len(file.name) == 64 for file in tmp_path.iterdir())


ANSWERS: st.SearchStrategy[tuple[str, Answer]] = st.one_of(
    st.tuples(st.just("read"), st.binary() | st.text().map(str.encode)),
    st.tuples(st.just("read_dir"), st.dictionaries(st.text() | st.just("\udcff"), st.sampled_from(FileType))),
    st.tuples(st.just("file_type"), st.sampled_from(FileType)),
    st.tuples(st.sampled_from(["read_link", "resolve", "import_path"]), st.text()),
    st.tuples(st.just("import_path"), st.none()),
    st.tuples(st.sampled_from(["is_executable", "path_exists"]), st.booleans()),
    st.tuples(st.just("read"), st.builds(Failure, st.sampled_from(sorted(errno.errorcode)), st.text())),
)


@given(ANSWERS, st.text() | st.just("/\udce9"))
def test_answers_are_read_as_they_were_written(answer: tuple[str, Answer], path: str) -> None:
    line = to_json(answer[0], path, answer[1])
    assert line.isascii() and "\n" not in line
    again = from_json(line)
    assert again[:2] == (answer[0], path)
    if isinstance(answer[1], Failure):
        assert isinstance(again[2], Failure) and again[2].reason == answer[1].reason
        assert os.strerror(again[2].code) == os.strerror(answer[1].code)
    else:
        assert again[2] == answer[1]


@pytest.mark.parametrize(
    "line",
    [
        "", "[]", "{}", "1", "null", '{"ask": 1, "path": "/"}', '{"ask": "read", "path": "/"}', '{"ask": "read", "path": "/", "text": 1}',
        '{"ask": "read", "path": "/", "base64": "*"}', '{"ask": "steal", "path": "/", "text": ""}', '{"ask": "read", "path": "/", "text": "", "more": 1}',
        '{"ask": "read_dir", "path": "/", "entries": []}', '{"ask": "read_dir", "path": "/", "entries": {"a": "file"}}', '{"ask": "file_type", "path": "/", "type": []}',
        '{"ask": "path_exists", "path": "/", "holds": 1}', '{"ask": "read_link", "path": "/", "target": null}', '{"ask": "read", "path": "/", "errno": "errorcode", "reason": ""}',
        '{"ask": "read", "path": "/", "errno": "ENOENT", "reason": 1}', '{"ask": "read", "path": "/", "text": "\\ud800"}', '{"ask": [], "path": "/"}', "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_answer_is_a_value_error(line: str) -> None:
    with pytest.raises(ValueError):
        from_json(line)


class Story:
    """A tree that changes, a clock, and what the tree was when."""

    def __init__(self, tree: dict[str, Node]) -> None:
        self.tree = tree
        self.now = 1000.0
        self.changes: list[tuple[float, dict[str, Node]]] = [(0.0, dict(tree))]

    def change(self, name: str, node: Node) -> None:
        self.tree[name] = node
        self.changes.append((self.now, dict(self.tree)))

    def since(self, then: float) -> list[dict[str, Node]]:
        """The trees that there were from `then` on."""
        before = [tree for when, tree in self.changes if when <= then]
        return [before[-1], *[tree for when, tree in self.changes if when > then]]


STEPS = st.one_of(
    st.tuples(st.just("change"), st.sampled_from("abc"), st.sampled_from(["1", "2", {"a": "3"}, Symlink("b/a")])),
    st.tuples(st.just("wait"), st.just(""), st.integers(1, 12)),
    st.tuples(st.just("clear"), st.just(""), st.just(0)),
    st.tuples(st.just("look"), PATHS, st.just(0)),
)


@settings(max_examples=100, deadline=None)
@given(trees(TARGETS), st.lists(STEPS, max_size=25), st.sampled_from([0, 5, 10]))
def test_every_answer_is_one_that_was_right_within_its_age(
    tree: dict[str, Node], steps: list[tuple[str, str, object]], max_age: int
) -> None:
    story = Story(tree)
    cache = Cache(Memory(story.tree), max_age=max_age, clock=lambda: story.now, max_bytes=8000)

    async def tell() -> None:
        for step, text, detail in steps:
            if step == "change":
                story.change(text, detail)  # type: ignore[arg-type]
            elif step == "wait":
                assert isinstance(detail, int)
                story.now += detail
            elif step == "clear":
                await cache.clear()
                story.changes = [(0.0, dict(story.tree))]
            else:
                told = await sights(cache, text)
                possible = [await sights(Memory(then), text) for then in story.since(story.now - max_age)]
                if max_age == 0:
                    assert told == possible[-1]
                assert all(one in {str(each[index]): each[index] for each in possible}.values() for index, one in enumerate(told))

    anyio.run(tell)


async def test_a_directory_that_cannot_be_made_is_no_missing_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for directory in (tmp_path / "file" / "kept", Path("/proc/none")):
        with pytest.raises(OSError, match="a directory for the cache cannot be made") as caught:
            await Cache(Memory({"f": "x"}), directory).path_exists("/f")
        assert caught.value.errno == errno.ENXIO
