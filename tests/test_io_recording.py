"""Recording and Replay: what an evaluation saw, as one file, and the evaluation again with nothing else."""

from __future__ import annotations

import errno
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_io_contract import write_tree
from test_io_links import PATHS, TARGETS, sights, trees

from aionix import Evaluation
from aionix.errors import FileError
from aionix.io import EvalIO, FileType
from io_backends import Executable, LocalDisk, Memory, Recording, Replay, Symlink, contract
from io_backends.memory import Node

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("check", contract.checks(), ids=str)
async def test_a_recording_and_its_replay_keep_the_contract(check: contract.Check, tmp_path: Path) -> None:
    write_tree(tmp_path, check.tree)
    for inner in (Memory(check.tree), LocalDisk(tmp_path)):
        recording = Recording(inner)
        await check(lambda tree, recording=recording: recording)  # type: ignore[misc]
        replay = Replay(recording.dump())
        await check(lambda tree, replay=replay: replay)  # type: ignore[misc]


TREE: dict[str, Node] = {
    "site.nix": """{
        port = import ./port.nix;
        files = builtins.attrNames (builtins.readDir ./data);
        there = map builtins.pathExists [ ./port.nix ./none.nix ];
        source = "${./data}";
        type = builtins.readFileType ./data/link;
        home = builtins.getEnv "HOME";
        token = builtins.getEnv "TOKEN";
        unset = builtins.getEnv "UNSET";
        hash = builtins.hashFile "sha256" ./data/raw;
        found = <data/a>;
    }""",
    "port.nix": "80",
    "data": {"a": "ä\n", "raw": b"\xff\0\xfe", "run": Executable("#!"), "link": Symlink("a"), "none": {}},
}
ENV = {"HOME": "/home/me", "TOKEN": "hush", "OTHER": "not asked for"}


async def outcome(io: EvalIO, code: str = "import /site.nix") -> object:
    evaluation = Evaluation.builder(io).mode("strict").search_path(["data=/data"]).build()
    result = await evaluation.evaluate(code, base_dir="/")
    return result.value.to_python() if result.value else [error.to_dict() for error in result.errors]


async def test_a_replay_needs_nothing_else() -> None:
    recording = Recording(Memory(TREE, env=ENV))
    expected = await outcome(recording)
    assert isinstance(expected, dict) and expected["token"] == "hush"
    assert await outcome(Replay(recording.dump())) == expected == await outcome(Memory(TREE, env=ENV))


@pytest.mark.parametrize("code", ["import /none.nix", "import /data/a", "builtins.readFile /data", "<nope>", "builtins.readFile /data/raw", "builtins.readDir /data/a"])
async def test_errors_are_replayed_word_for_word(code: str) -> None:
    recording = Recording(Memory(TREE))
    expected = await outcome(recording, code)
    assert isinstance(expected, list)
    assert await outcome(Replay(recording.dump()), code) == expected


class Failing(Memory):
    """The disk fails, first in one way and then in another."""

    asked = 0

    async def resolve(self, path: str) -> str:
        self.asked += 1
        if path == "/port.nix":
            raise OSError(errno.EIO, f"bad sector {self.asked}", "/por")
        return await super().resolve(path)

    async def read(self, path: str) -> bytes:
        if path == "/port.nix":
            raise OSError(errno.ECONNRESET, "gone", path)
        return await super().read(path)


async def test_errors_that_pass_are_recorded_once_and_their_places_kept() -> None:
    recording = Recording(Failing(TREE))
    expected = await outcome(recording)
    with pytest.raises(OSError, match="bad sector") as caught:
        await recording.resolve("/port.nix")
    with pytest.raises(OSError, match="bad sector") as again:
        await Replay(recording.dump()).resolve("/port.nix")
    assert str(again.value) == str(caught.value)
    assert again.value.filename == "/por"
    assert await outcome(Replay(recording.dump())) == expected


async def test_the_same_evaluation_is_the_same_file(tmp_path: Path) -> None:
    write_tree(tmp_path, TREE)
    recordings = [Recording(Memory(TREE)), Recording(Memory(dict(reversed(TREE.items())))), Recording(LocalDisk(tmp_path))]
    for recording in recordings:
        await outcome(recording)
    assert len({recording.dump() for recording in recordings}) == 1


def test_both_event_loops_write_the_same_file() -> None:
    async def recorded() -> bytes:
        recording = Recording(Memory(TREE, env=ENV))
        await outcome(recording)
        return recording.dump()

    assert anyio.run(recorded, backend="asyncio") == anyio.run(recorded, backend="trio")


async def test_the_file_can_be_read_by_people() -> None:
    recording = Recording(Memory({"a": "text\n", "b": b"\xff", "d": {"x": ""}, "l": Symlink("a")}, env={"E": "1"}))
    for look in (recording.read("/a"), recording.read("/b"), recording.read_dir("/d"), recording.read_link("/l"), recording.path_exists("/no")):
        await look
    with pytest.raises(FileNotFoundError):
        await recording.read("/no")
    recording.get_env("E")
    assert recording.dump().decode().splitlines() == [
        '{"recording": 1, "store_dir": null}',
        '{"ask": "get_env", "path": "E", "target": "1"}',
        '{"ask": "path_exists", "path": "/no", "holds": false}',
        '{"ask": "read", "path": "/a", "text": "text\\n"}',
        '{"ask": "read", "path": "/b", "base64": "/w=="}',
        '{"ask": "read", "path": "/no", "errno": "ENOENT", "reason": "No such file or directory"}',
        '{"ask": "read_dir", "path": "/d", "entries": {"x": "regular"}}',
        '{"ask": "read_link", "path": "/l", "target": "a"}',
    ]


async def test_values_of_variables_can_be_left_out_and_given_again() -> None:
    recording = Recording(Memory(TREE, env=ENV), values=False)
    expected = await outcome(recording)
    data = recording.dump()
    assert b"hush" not in data and b"/home/me" not in data and b"OTHER" not in data
    assert await outcome(Replay(data, env=ENV)) == expected
    replay = Replay(data)
    assert replay.get_env("UNSET") is None
    with pytest.raises(PermissionError, match="left out of the recording"):
        replay.get_env("HOME")
    result = await Evaluation.builder(replay).build().evaluate('builtins.getEnv "TOKEN"')
    assert isinstance(result.errors[0], FileError)
    assert "'TOKEN': its value was left out" in str(result.errors[0])


async def test_what_was_not_asked_then_is_an_error_that_says_so() -> None:
    recording = Recording(Memory(TREE))
    await outcome(recording, "1")
    replay = Replay(recording.dump())
    looks: list[Callable[[str], Awaitable[object]]] = [replay.read, replay.file_type, replay.path_exists, replay.resolve]
    for look in looks:
        with pytest.raises(OSError, match="the recording does not have this") as caught:
            await look("/site.nix")
        assert (caught.value.errno, caught.value.filename) == (errno.ENODATA, "/site.nix")
    with pytest.raises(OSError, match="does not have this"):
        replay.get_env("HOME")
    assert "the recording does not have this" in str(await outcome(replay))


async def test_the_world_stands_still_while_it_is_recorded() -> None:
    tree: dict[str, Node] = {"a": "1"}
    recording = Recording(Memory(tree))
    assert await recording.read("/a") == b"1"
    tree["a"] = "2"
    assert await recording.read("/a") == b"1"


class Gated(Memory):
    gate: anyio.Event

    async def read(self, path: str) -> bytes:
        await self.gate.wait()
        return await super().read(path)


async def test_a_cancelled_question_is_not_recorded() -> None:
    inner = Gated({"a": "1"})
    inner.gate = anyio.Event()
    recording = Recording(inner)
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(recording.read, "/a")
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
    assert len(recording.dump().splitlines()) == 1
    inner.gate.set()
    assert await recording.read("/a") == b"1"


async def test_a_recording_has_a_limit() -> None:
    recording = Recording(Memory({"a": "x" * 500, "b": "y" * 500}), max_bytes=1000)
    await recording.read("/a")
    with pytest.raises(OSError, match="larger than 1000 bytes") as caught:
        await recording.read("/b")
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, "/b")
    assert len(recording.dump()) < 1000


async def test_a_file_is_loaded_beside_the_event_loop(tmp_path: Path) -> None:
    recording = Recording(Memory(TREE, env=ENV))
    expected = await outcome(recording)
    file = anyio.Path(tmp_path / "it.jsonl")
    await file.write_bytes(recording.dump())
    assert await outcome(await Replay.load(file)) == expected
    with pytest.raises(OSError, match="larger than 100 bytes"):
        await Replay.load(file, max_bytes=100)
    with pytest.raises(FileNotFoundError):
        await Replay.load(tmp_path / "none")


FIRST = b'{"recording": 1, "store_dir": null}\n'
LINE = b'{"ask": "read", "path": "/a", "text": ""}\n'


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "does not begin"), (b"\0" * 100, "does not begin"), (b"[]\n", "does not begin"), (b"[" * 100_000, "does not begin"), (b'{"recording": 2, "store_dir": null}\n', "does not begin"),
        (b'{"recording": 1, "store_dir": 3}\n', "does not begin"), (FIRST + b"{}\n", "line 2"), (FIRST + LINE + b"\xff\n", "line 3"), (FIRST + LINE + LINE, "line 3: the same question again"),
        (FIRST + LINE[:20], "line 2"), (FIRST + b"\n", "line 2"), (FIRST + b'{"ask": "read", "path": "/a", "text": ' + b"[" * 100_000, "line 2"),
        (FIRST + b'{"ask": "run", "path": "/a", "text": ""}', "line 2"), (FIRST + b'{"ask": "file_type", "path": "/a", "type": ' + b"9" * 10_000 + b"}", "line 2"),
    ],
)  # fmt: skip
def test_what_is_no_recording_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(OSError, match=f"not a sound recording: .*{problem}") as caught:
        Replay(data)
    assert caught.value.errno == errno.EINVAL


def test_a_large_recording_is_refused() -> None:
    for limits in ({"max_bytes": 50}, {"max_answers": 1}):
        with pytest.raises(OSError, match="the recording") as caught:
            Replay(FIRST + LINE * 2, **limits)
        assert caught.value.errno == errno.EFBIG


@settings(max_examples=150, deadline=None)
@given(trees(TARGETS), st.lists(PATHS, max_size=5))
def test_a_replay_answers_as_the_backend_did(tree: dict[str, Node], paths: list[str]) -> None:
    async def all_sights(io: EvalIO) -> list[object]:
        return [await sights(io, path) for path in paths]

    recording = Recording(Memory(tree))
    expected = anyio.run(all_sights, recording)
    assert expected == anyio.run(all_sights, Memory(tree))
    replay = Replay(recording.dump())
    assert anyio.run(all_sights, replay) == expected
    again = Recording(replay)
    anyio.run(all_sights, again)
    assert again.dump() == recording.dump()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=9)), min_size=1, max_size=3))
def test_changed_bytes_are_replayed_or_refused(changes: list[tuple[int, bytes]]) -> None:
    data = SAMPLE
    for at, new in changes:
        at %= len(data)
        data = data[:at] + new + data[at + len(new) :]
    try:
        Replay(data)
    except OSError as error:
        assert error.errno == errno.EINVAL


def sample() -> bytes:
    recording = Recording(Memory(TREE, env=ENV))
    anyio.run(outcome, recording)
    return recording.dump()


SAMPLE = sample()


def test_every_line_is_json() -> None:
    assert all(json.loads(line) for line in SAMPLE.splitlines())
    assert FileType.DIRECTORY.value in SAMPLE.decode()
