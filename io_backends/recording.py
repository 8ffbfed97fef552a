"""Recording and Replay: all that an evaluation asked of the outside world, as one file.

The file is lines of ASCII, each a JSON object. The first is `{"recording": 1, "store_dir": null}`; then
comes, in order of question and path, one line for each answer, as `io_backends.answers.to_json` writes it:

    {"ask": "get_env", "path": "HOME", "target": "/home/me"}
    {"ask": "read", "path": "/site.nix", "text": "import ./port.nix"}
    {"ask": "read", "path": "/none.nix", "errno": "ENOENT", "reason": "No such file or directory"}
    {"ask": "read_dir", "path": "/", "entries": {"site.nix": "regular"}}

The same answers are always the same bytes.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import NoReturn, Self, TypeVar

import anyio.lowlevel
import anyio.to_thread

from aionix.io import EvalIO
from io_backends.answers import Answer, Failure, asked, from_json, to_json, told
from io_backends.wrapper import Answering, Question

T = TypeVar("T")

_FORMAT = 1
_ENV = "get_env"
#: What a recording may hold, and a file that is replayed.
MAX_BYTES = 256 << 20
MAX_ANSWERS = 1_000_000


class Recording(Answering):
    """`io`, and a record of every answer, for a test or a report about a fault.

        recording = Recording(LocalDisk(env=True))
        ...
        Path("fault.jsonl").write_bytes(recording.dump())

    What was answered once is answered so again, so the evaluation sees one state of the world,
    and its replay the same. Errors are recorded, cancelled questions are not. Nothing is read ahead:
    what is recorded is what was needed. More than `max_bytes` is an error (EFBIG).

    The contents of all files that were read are in it, and the environment variables that
    were asked for; with `values=False` the names of those only.
    """

    def __init__(self, io: EvalIO, *, values: bool = True, max_bytes: int = MAX_BYTES) -> None:
        self._io = io
        self._values = values
        self._max_bytes = max_bytes
        self._lines: dict[tuple[str, str], str] = {}
        self._answers: dict[tuple[str, str], Answer] = {}
        self._bytes = 0

    def dump(self) -> bytes:
        """The file."""
        first = json.dumps({"recording": _FORMAT, "store_dir": self._io.store_dir()})
        lines = [self._lines[key] for key in sorted(self._lines)]
        return "".join([f"{line}\n" for line in (first, *lines)]).encode()

    async def ask(self, question: Question[T], path: str) -> T:
        key = (question.method, path)
        if key not in self._answers:
            try:
                answer = await asked(question, self._io, path)
            except OSError as error:
                answer = Failure.of(error, path)
            self._record(key, answer)
        return told(question, self._answers[key], path)

    def get_env(self, name: str) -> str | None:
        value = self._io.get_env(name)
        secret = value is not None and not self._values
        self._record((_ENV, name), _WITHHELD if secret else value)
        return value

    def store_dir(self) -> str | None:
        return self._io.store_dir()

    def _record(self, key: tuple[str, str], answer: Answer) -> None:
        if key in self._answers:  # somebody else asked at the same time
            return
        line = to_json(*key, answer)
        if self._bytes + len(line) > self._max_bytes:
            raise OSError(errno.EFBIG, f"the recording is larger than {self._max_bytes} bytes", key[1])
        self._bytes += len(line)
        self._lines[key] = line
        self._answers[key] = answer


_WITHHELD = Failure(errno.EACCES, "its value was left out of the recording")


class Replay(Answering):
    """The answers in a file that `Recording` made. There is no other backend.

        io = await Replay.load("fault.jsonl")
        await aionix.evaluate_file("/site.nix", io=io)

    What was not asked then is an error (ENODATA). `env` has variables whose values the recording
    left out. Raises OSError (EINVAL) for `data` that is no recording, EFBIG if it is larger than
    `max_bytes` or has more than `max_answers`.
    """

    def __init__(
        self,
        data: bytes,
        *,
        env: Mapping[str, str] | None = None,
        max_bytes: int = MAX_BYTES,
        max_answers: int = MAX_ANSWERS,
    ) -> None:
        if len(data) > max_bytes:
            raise OSError(errno.EFBIG, f"the recording is larger than {max_bytes} bytes")
        first, *lines = data.removesuffix(b"\n").split(b"\n", max_answers + 1)
        if len(lines) > max_answers:
            raise OSError(errno.EFBIG, f"the recording has more than {max_answers} answers")
        self._env = env or {}
        self._store_dir = _read_first(first)
        self._answers = _read_answers(lines)

    @classmethod
    async def load(
        cls,
        file: str | os.PathLike[str],
        *,
        env: Mapping[str, str] | None = None,
        max_bytes: int = MAX_BYTES,
        max_answers: int = MAX_ANSWERS,
    ) -> Self:
        """What is in a file of this machine, which is read on a worker thread."""

        data = await _in_thread(partial(_beginning, file, max_bytes + 1))
        make = partial(cls, env=env, max_bytes=max_bytes, max_answers=max_answers)
        return await _in_thread(partial(make, data))

    async def ask(self, question: Question[T], path: str) -> T:
        await anyio.lowlevel.checkpoint()
        return told(question, self._recorded(question.method, path), path)

    def get_env(self, name: str) -> str | None:
        if name in self._env:
            return self._env[name]
        value = self._recorded(_ENV, name)
        if isinstance(value, Failure):
            value.throw(name)
        return value if isinstance(value, str) else None

    def store_dir(self) -> str | None:
        return self._store_dir

    def _recorded(self, method: str, path: str) -> Answer:
        key = (method, path)
        if key not in self._answers:
            raise OSError(errno.ENODATA, f"the recording does not have this ({method})", path)
        return self._answers[key]


def _beginning(file: str | os.PathLike[str], size: int) -> bytes:
    with open(file, "rb") as opened:
        return opened.read(size)


async def _in_thread(function: Callable[[], T]) -> T:
    return await anyio.to_thread.run_sync(function, abandon_on_cancel=True)


def _read_first(line: bytes) -> str | None:
    try:
        fields = json.loads(line)
        version, store_dir = fields["recording"], fields["store_dir"]
    except (ValueError, KeyError, TypeError, RecursionError):
        version, store_dir = None, None
    if version != _FORMAT or not isinstance(store_dir, str | None):
        _refuse(f"it does not begin as one of version {_FORMAT}")
    return store_dir


def _read_answers(lines: list[bytes]) -> dict[tuple[str, str], Answer]:
    answers: dict[tuple[str, str], Answer] = {}
    for number, line in enumerate(lines, 2):
        try:
            method, path, answer = from_json(line)
        except ValueError as error:
            _refuse(f"line {number}: {error}")
        if (method, path) in answers:
            _refuse(f"line {number}: the same question again")
        answers[method, path] = answer
    return answers


def _refuse(problem: str) -> NoReturn:
    raise OSError(errno.EINVAL, f"not a sound recording: {problem}")
