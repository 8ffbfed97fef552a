"""Cache: what was asked once is not asked again."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple, TypeAlias, TypeVar

import anyio.to_thread

from aionix.io import BytesReader, EvalIO, FileReader, FileType, OpenEntry, is_missing
from io_backends.answers import Answer, Failure, asked, from_json, to_json, told
from io_backends.disk_store import DiskStore
from io_backends.single_flight import SingleFlight
from io_backends.wrapper import FILE_TYPE, IS_EXECUTABLE, READ, Question, Wrapper

T = TypeVar("T")

#: The method, and the path.
Key: TypeAlias = tuple[str, str]
# What an answer takes in memory beside its contents: measured 400 to 600 bytes, with a path of 60.
_OVERHEAD = 500


_PIECE = 1 << 20


class _Kept(NamedTuple):
    answer: Answer
    asked_at: float


class _Entry(NamedTuple):
    kind: FileType
    executable: bool = False
    content: bytes | None = None


class _NotKept(Exception):
    """A file that is too large, or is being written."""


class Cache(Wrapper):
    """`io`, whose answers are kept: in memory, and in `directory` for later processes.

        Cache(http, "/home/me/.cache/site", max_age=300)

    That something is missing is an answer; other errors are not kept. Answers are used for `max_age`
    seconds (None: for ever, as is right for a commit or an archive), until `clear`, or until there are
    newer ones of more than `max_bytes` in memory, `max_disk_bytes` on disk; one that takes more than
    a quarter of that is not kept. Many who ask the same at once make one request.

    A `directory` is for one tree only; see `DiskStore` for what it must be. `clock` tells seconds since the
    epoch. `hits` and `misses` count questions that did not, or did, take a request; `disk_hits`
    are among the hits.
    """

    def __init__(
        self,
        io: EvalIO,
        directory: str | os.PathLike[str] | None = None,
        *,
        max_age: float | None = None,
        max_bytes: int = 64 << 20,
        max_disk_bytes: int = 1 << 30,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(io)
        self.asked = self.misses = self.disk_hits = self.bytes = 0
        self._disk = None if directory is None else DiskStore(directory, max_disk_bytes)
        self._max_age = max_age
        self._max_bytes = max_bytes
        self._clock = clock
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._flights = SingleFlight[Key, Answer]()
        self._entry_flights = SingleFlight[str, _Entry]()
        self._clears = 0

    @property
    def hits(self) -> int:
        return self.asked - self.misses

    async def clear(self) -> None:
        """Forgets everything, on disk too; what is being asked meanwhile is not kept either."""
        self._clears += 1
        self._kept.clear()
        self.bytes = 0
        if self._disk is not None:
            await _in_thread(self._disk.clear)

    async def ask(self, question: Question[T], path: str) -> T:
        self.asked += 1
        key = (question.method, path)
        kept = self._in_memory(key)
        request = partial(asked, question, self._io, path)
        answer = kept.answer if kept else await self._found(key, key, request)
        return told(question, answer, path)

    @asynccontextmanager
    async def open(self, path: str) -> AsyncIterator[FileReader]:
        self.asked += 1
        try:
            answer = await self._found(("open", path), (READ.method, path), partial(self._content, path))
        except _NotKept:
            async with self._io.open(path) as file:
                yield file
            return
        yield BytesReader(told(READ, answer, path))

    @asynccontextmanager
    async def open_range(self, path: str, start: int, size: int) -> AsyncIterator[FileReader]:
        self.asked += 1
        if kept := await self._look((READ.method, path)):
            yield BytesReader(told(READ, kept.answer, path)[start : start + size])
            return
        self.misses += 1
        async with self._io.open_range(path, start, size) as file:
            yield file

    @asynccontextmanager
    async def open_entry(self, path: str, kind: FileType | None = None) -> AsyncIterator[OpenEntry]:
        self.asked += 1
        try:
            found = await self._entry_flights.run(path, partial(self._entry, path, kind))
        except _NotKept:
            async with self._io.open_entry(path, kind) as entry:
                yield entry
            return
        file = None if found.content is None else BytesReader(found.content)
        yield OpenEntry(found.kind, found.executable, file)

    async def _found(self, flight: Key, key: Key, request: Callable[[], Awaitable[Answer]]) -> Answer:
        """What is kept for `key`, or else the answer to `request`, which then is."""

        async def found() -> Answer:
            kept = await self._look(key)
            return kept.answer if kept else await self._fetched(key, request)

        return await self._flights.run(flight, found)

    async def _fetched(self, key: Key, request: Callable[[], Awaitable[Answer]]) -> Answer:
        self.misses += 1
        clears, asked_at = self._clears, self._clock()
        try:
            answer = await request()
        except OSError as error:
            if not is_missing(error):
                raise
            answer = Failure.of(error, key[1])
        await self._keep({key: answer}, asked_at, clears)
        return answer

    async def _content(self, path: str) -> bytes:
        async with self._io.open(path) as file:
            return await self._whole(file)

    async def _whole(self, file: FileReader) -> bytes:
        data = bytearray()
        while len(data) <= file.size <= self._largest and (piece := await file.read(_PIECE)):
            data += piece
        if len(data) != file.size:
            raise _NotKept
        return bytes(data)

    async def _entry(self, path: str, kind: FileType | None) -> _Entry:
        return await self._kept_entry(path) or await self._fetched_entry(path, kind)

    async def _kept_entry(self, path: str) -> _Entry | None:
        """The answers to three questions are what `open_entry` answers."""
        kind = await self._look((FILE_TYPE.method, path))
        if kind is None:
            return None
        if (known := told(FILE_TYPE, kind.answer, path)) is not FileType.REGULAR:
            return _Entry(known)
        executable = await self._look((IS_EXECUTABLE.method, path))
        content = await self._look((READ.method, path))
        if executable is None or content is None:
            return None
        return _Entry(known, told(IS_EXECUTABLE, executable.answer, path), told(READ, content.answer, path))

    async def _fetched_entry(self, path: str, kind: FileType | None) -> _Entry:
        self.misses += 1
        clears, asked_at = self._clears, self._clock()
        try:
            async with self._io.open_entry(path, kind) as entry:
                content = None if entry.file is None else await self._whole(entry.file)
        except OSError as error:
            if is_missing(error):
                await self._keep({(FILE_TYPE.method, path): Failure.of(error, path)}, asked_at, clears)
            raise
        answers: dict[Key, Answer] = {(FILE_TYPE.method, path): entry.kind}
        if content is not None:
            answers[IS_EXECUTABLE.method, path] = entry.executable
            answers[READ.method, path] = content
        await self._keep(answers, asked_at, clears)
        return _Entry(entry.kind, entry.executable, content)

    async def _look(self, key: Key) -> _Kept | None:
        """What is kept, in memory or on disk, and is not too old."""
        kept = self._in_memory(key)
        if kept is not None or self._disk is None:
            return kept
        clears = self._clears
        kept = await _in_thread(partial(_load, self._disk, key))
        if kept is None or clears != self._clears or not self._is_fresh(kept):
            return None
        self.disk_hits += 1
        self._remember(key, kept)
        return kept

    def _in_memory(self, key: Key) -> _Kept | None:
        kept = self._kept.get(key)
        if kept is None or not self._is_fresh(kept):
            return None
        self._kept.move_to_end(key)
        return kept

    def _is_fresh(self, kept: _Kept) -> bool:
        return self._max_age is None or 0 <= self._clock() - kept.asked_at < self._max_age

    async def _keep(self, answers: dict[Key, Answer], asked_at: float, clears: int) -> None:
        """Keeps answers, unless everything was forgotten while they were asked for."""
        for key, answer in answers.items():
            if clears == self._clears:
                self._remember(key, _Kept(answer, asked_at))
        if self._disk is not None and clears == self._clears:
            await _in_thread(partial(_store, self._disk, answers, asked_at))
            if clears != self._clears:
                await _in_thread(self._disk.clear)

    def _remember(self, key: Key, kept: _Kept) -> None:
        size = _size(key, kept.answer)
        if old := self._kept.pop(key, None):
            self.bytes -= _size(key, old.answer)
        if size > self._largest:
            return
        self._kept[key] = kept
        self.bytes += size
        while self.bytes > self._max_bytes:
            key, old = self._kept.popitem(last=False)
            self.bytes -= _size(key, old.answer)

    @property
    def _largest(self) -> int:
        return self._max_bytes // 4


def _size(key: Key, answer: Answer) -> int:
    """About how many bytes of memory an answer takes."""
    if isinstance(answer, dict):
        contents = sum(len(name) + 100 for name in answer)
    else:
        contents = len(answer) if isinstance(answer, (bytes, str)) else 0
    return _OVERHEAD + len(key[1]) + contents


def _load(disk: DiskStore, key: Key) -> _Kept | None:
    value = disk.get("\0".join(key))
    if value is None:
        return None
    asked_at, _, line = value.partition(b"\n")
    try:
        *found, answer = from_json(line)
        return _Kept(answer, float(asked_at)) if found == list(key) else None
    except ValueError:
        return None


def _store(disk: DiskStore, answers: dict[Key, Answer], asked_at: float) -> None:
    for key, answer in answers.items():
        disk.put("\0".join(key), f"{asked_at!r}\n{to_json(*key, answer)}".encode())


async def _in_thread(function: Callable[[], T]) -> T:
    return await anyio.to_thread.run_sync(function, abandon_on_cancel=True)
