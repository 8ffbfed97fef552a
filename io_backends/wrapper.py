"""Wrapper: a backend that hands everything on to another; and what can be asked of one, as data."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Generic, TypeVar

from aionix.io import EvalIO, FileReader, FileType, OpenEntry

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, eq=False)
class Question(Generic[T_co]):
    """A method of EvalIO that takes a path: `READ.put(io, path)` is `io.read(path)`."""

    method: str
    put: Callable[[EvalIO, str], Awaitable[T_co]]


READ = Question[bytes]("read", lambda io, path: io.read(path))
READ_DIR = Question[dict[str, FileType]]("read_dir", lambda io, path: io.read_dir(path))
FILE_TYPE = Question[FileType]("file_type", lambda io, path: io.file_type(path))
READ_LINK = Question[str]("read_link", lambda io, path: io.read_link(path))
IS_EXECUTABLE = Question[bool]("is_executable", lambda io, path: io.is_executable(path))
RESOLVE = Question[str]("resolve", lambda io, path: io.resolve(path))
PATH_EXISTS = Question[bool]("path_exists", lambda io, path: io.path_exists(path))
IMPORT_PATH = Question[str | None]("import_path", lambda io, path: io.import_path(path))


class Answering(EvalIO):
    """A backend that answers all questions in one place; open files are read as a whole."""

    @abstractmethod
    async def ask(self, question: Question[T], path: str) -> T:
        """The answer to any question that is not about an open file or the environment."""

    async def read(self, path: str) -> bytes:
        return await self.ask(READ, path)

    async def read_dir(self, path: str) -> dict[str, FileType]:
        return await self.ask(READ_DIR, path)

    async def file_type(self, path: str) -> FileType:
        return await self.ask(FILE_TYPE, path)

    async def read_link(self, path: str) -> str:
        return await self.ask(READ_LINK, path)

    async def is_executable(self, path: str) -> bool:
        return await self.ask(IS_EXECUTABLE, path)

    async def resolve(self, path: str) -> str:
        return await self.ask(RESOLVE, path)

    async def path_exists(self, path: str) -> bool:
        return await self.ask(PATH_EXISTS, path)

    async def import_path(self, path: str) -> str | None:
        return await self.ask(IMPORT_PATH, path)


class Wrapper(Answering):
    """Hands every call on to `io`. A subclass overrides `ask`, for all questions, or single methods.

        class Polite(Wrapper):
            async def ask(self, question, path):
                async with self._limiter:
                    return await super().ask(question, path)

    It does not own `io`: who opened that closes it.
    """

    def __init__(self, io: EvalIO) -> None:
        self._io = io

    async def ask(self, question: Question[T], path: str) -> T:
        return await question.put(self._io, path)

    def open(self, path: str) -> AbstractAsyncContextManager[FileReader]:
        return self._io.open(path)

    def open_range(
        self, path: str, start: int, size: int
    ) -> AbstractAsyncContextManager[FileReader]:
        return self._io.open_range(path, start, size)

    def open_entry(
        self, path: str, kind: FileType | None = None
    ) -> AbstractAsyncContextManager[OpenEntry]:
        return self._io.open_entry(path, kind)

    @property
    def read_ahead(self) -> bool:
        return self._io.read_ahead

    def get_env(self, name: str) -> str | None:
        return self._io.get_env(name)

    def store_dir(self) -> str | None:
        return self._io.store_dir()
