"""Tracing: what is asked of a backend, how long that takes, and how much comes back."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass
from typing import TypeVar

from aionix.io import EvalIO, FileReader, FileType, OpenEntry
from io_backends.wrapper import Question, Wrapper

T = TypeVar("T")

#: The path under which calls are counted once there are too many different ones.
OTHER_PATHS = "(other paths)"


@dataclass(slots=True)
class Calls:
    """Some calls: how many, how many of them failed, the bytes of content that came back, and the seconds
    that were waited, in all and at most at once. Calls at the same time each count in full."""

    count: int = 0
    errors: int = 0
    bytes: int = 0
    seconds: float = 0.0
    longest: float = 0.0

    def add(self, other: Calls) -> None:
        self.count += other.count
        self.errors += other.errors
        self.bytes += other.bytes
        self.seconds += other.seconds
        self.longest = max(self.longest, other.longest)


class Tracing(Wrapper):
    """`io`, and a record of every call.

        tracing = Tracing(LocalDisk())
        ...
        print(tracing.table())
        tracing.calls["read", "/srv/site.nix"].count

    `calls` is by method and path (of `get_env`: the variable); `max_in_flight` is the number of calls that
    waited at the same time, at most. What is open counts while it is opened or read, not
    meanwhile. Beyond `max_paths` entries, paths are counted together. `clock` tells seconds.
    """

    def __init__(
        self, io: EvalIO, *, max_paths: int = 100_000, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        super().__init__(io)
        self.calls: dict[tuple[str, str], Calls] = {}
        self.in_flight = 0
        self.max_in_flight = 0
        self._max_paths = max_paths
        self._clock = clock

    @property
    def by_method(self) -> dict[str, Calls]:
        """The sums for each method."""
        return _sums((method, calls) for (method, _), calls in self.calls.items())

    @property
    def by_path(self) -> dict[str, Calls]:
        """The sums for each path; the environment is left out."""
        return _sums((path, calls) for (method, path), calls in self.calls.items() if method != "get_env")

    def table(self, rows: int = 10) -> str:
        """The sums for each method, and for the `rows` paths that were waited for longest."""
        lines = [f"{'calls':>8} {'errors':>7} {'bytes':>12} {'total ms':>10} {'max ms':>9}"]
        lines += _lines(self.by_method, rows)
        lines += ["", *_lines(self.by_path, rows), "", f"at most {self.max_in_flight} at a time"]
        return "\n".join(lines) + "\n"

    async def ask(self, question: Question[T], path: str) -> T:
        calls = self._called(question.method, path)
        with self._waiting(calls):
            answer = await super().ask(question, path)
        if isinstance(answer, bytes):
            calls.bytes += len(answer)
        return answer

    def open(self, path: str) -> AbstractAsyncContextManager[FileReader]:
        return self._opened("open", path, super().open(path))

    def open_range(
        self, path: str, start: int, size: int
    ) -> AbstractAsyncContextManager[FileReader]:
        return self._opened("open_range", path, super().open_range(path, start, size))

    @asynccontextmanager
    async def open_entry(self, path: str, kind: FileType | None = None) -> AsyncIterator[OpenEntry]:
        calls = self._called("open_entry", path)
        async with AsyncExitStack() as stack:
            with self._waiting(calls):
                entry = await stack.enter_async_context(super().open_entry(path, kind))
            yield entry if entry.file is None else entry._replace(file=_Counted(self, calls, entry.file))

    def get_env(self, name: str) -> str | None:
        with self._waiting(self._called("get_env", name)):
            return super().get_env(name)

    @asynccontextmanager
    async def _opened(
        self, method: str, path: str, opened: AbstractAsyncContextManager[FileReader]
    ) -> AsyncIterator[FileReader]:
        calls = self._called(method, path)
        async with AsyncExitStack() as stack:
            with self._waiting(calls):
                file = await stack.enter_async_context(opened)
            yield _Counted(self, calls, file)

    def _called(self, method: str, path: str) -> Calls:
        if len(self.calls) >= self._max_paths and (method, path) not in self.calls:
            path = OTHER_PATHS
        calls = self.calls.setdefault((method, path), Calls())
        calls.count += 1
        return calls

    @contextmanager
    def _waiting(self, calls: Calls) -> Iterator[None]:
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        began = self._clock()
        try:
            yield
        except BaseException:  # a cancelled call, too, brought nothing
            calls.errors += 1
            raise
        finally:
            self.in_flight -= 1
            took = self._clock() - began
            calls.seconds += took
            calls.longest = max(calls.longest, took)


class _Counted:
    """A FileReader that counts what is read."""

    def __init__(self, tracing: Tracing, calls: Calls, file: FileReader) -> None:
        self._tracing = tracing
        self._calls = calls
        self._file = file

    @property
    def size(self) -> int:
        return self._file.size

    async def read(self, count: int) -> bytes:
        with self._tracing._waiting(self._calls):
            piece = await self._file.read(count)
        self._calls.bytes += len(piece)
        return piece


def _sums(calls: Iterator[tuple[str, Calls]]) -> dict[str, Calls]:
    sums: dict[str, Calls] = {}
    for name, each in calls:
        sums.setdefault(name, Calls()).add(each)
    return sums


def _lines(sums: dict[str, Calls], rows: int) -> list[str]:
    longest_first = sorted(sums.items(), key=lambda entry: (-entry[1].seconds, entry[0]))
    return [
        f"{calls.count:8,} {calls.errors:7,} {calls.bytes:12,} {calls.seconds * 1e3:10,.1f} "
        f"{calls.longest * 1e3:9,.1f}  {_printable(name)}"
        for name, calls in longest_first[:rows]
    ]


def _printable(name: str) -> str:
    return "".join([char if char.isprintable() else ascii(char)[1:-1] for char in name])
