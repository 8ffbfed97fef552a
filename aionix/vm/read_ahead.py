"""Read-ahead: the files that a file's code mentions are fetched while it has not asked for them yet.

Only from backends that say it pays (`EvalIO.read_ahead`). An answer is kept while the evaluation that
fetched it goes on, and given to whoever asks meanwhile, instead of another request. What could not be
fetched is asked for again by whoever needs it, and told to them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from posixpath import basename, join
from typing import Generic, TypeVar

import anyio
from anyio.lowlevel import checkpoint

from aionix.io import EvalIO, FileType

T = TypeVar("T")

#: Answers, and bytes, that are kept for all evaluations together; then no more is fetched.
MAX_ANSWERS = 4096
MAX_BYTES = 1 << 26
#: Requests of one evaluation that are under way, so that those which are needed now get through.
REQUESTS = 16


class _Answer(Generic[T]):
    """What a backend said, or will say."""

    def __init__(self) -> None:
        self.asked = False
        self.value: T | None = None
        self.known = anyio.Event()
        self.taken = anyio.Event()


class ReadAhead:
    """The questions of `io` whose answers may be there before they are asked."""

    def __init__(self, io: EvalIO) -> None:
        self._io = io
        self._kinds: dict[str, _Answer[FileType]] = {}
        self._contents: dict[str, _Answer[bytes]] = {}
        self._size = 0
        #: What is being asked for because it is needed.
        self._needed: set[str] = set()

    async def read(self, path: str) -> bytes:
        """As that of `EvalIO`."""
        answer = self._contents.get(path)
        data = await self._given(answer, path, self._io.read)
        if answer is not None:
            answer.taken.set()
        return data

    async def file_type(self, path: str) -> FileType:
        """As that of `EvalIO`."""
        return await self._given(self._kinds.get(path), path, self._io.file_type)

    async def _given(
        self, answer: _Answer[T] | None, path: str, ask: Callable[[str], Awaitable[T]]
    ) -> T:
        if answer is not None and not answer.asked:
            answer.taken.set()
        elif answer is not None:
            await answer.known.wait()
            if answer.value is not None:
                return answer.value
        self._needed.add(path)
        try:
            return await ask(path)
        finally:
            self._needed.discard(path)

    async def fetch(self, path: str, requests: anyio.Semaphore) -> None:
        """Asks for what `import` of `path` would, and keeps it until this is cancelled."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._keep, self._kinds, path, self._io.file_type, requests)
            if path.endswith(".nix"):
                group.start_soon(self._keep, self._contents, path, self._io.read, requests)
            elif await self._is_directory(path):
                await self._keep(self._contents, join(path, "default.nix"), self._io.read, requests)

    async def _is_directory(self, path: str) -> bool:
        await checkpoint()  # so that it is being asked
        answer = self._kinds.get(path)
        if answer is None:
            return False
        await answer.known.wait()
        return answer.value is FileType.DIRECTORY

    async def _keep(
        self,
        answers: dict[str, _Answer[T]],
        path: str,
        ask: Callable[[str], Awaitable[T]],
        requests: anyio.Semaphore,
    ) -> None:
        if path in answers or path in self._needed or len(answers) >= MAX_ANSWERS or self._size > MAX_BYTES:
            return
        answer = answers[path] = _Answer()
        size = 0
        try:
            async with requests:
                if answer.taken.is_set():  # somebody could not wait
                    return
                answer.asked = True
                with suppress(Exception):  # whoever needs it is told when they ask
                    answer.value = await ask(path)
            if answer.value is not None:
                size = len(answer.value) if isinstance(answer.value, bytes) else 0
                self._size += size
                answer.known.set()
                await answer.taken.wait()
        finally:
            self._size -= size
            del answers[path]
            answer.known.set()


def may_be_imported(paths: Iterable[str], directory: str) -> list[str]:
    """Of the `paths` in a file of `directory`, those of Nix files and, by their names, directories."""
    return [path for path in paths if _may_be_imported(path) and path != directory]


def _may_be_imported(path: str) -> bool:
    return path.endswith(".nix") or "." not in (basename(path) or ".")
