"""The embedding program's `EvalIO`, as the evaluator meets it.

Its faults are told apart from ours, and whatever it is asked is put down to the account of the evaluation
that asks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from types import TracebackType
from typing import TypeVar

from aionix import telemetry
from aionix.errors import BackendFailed, FileError, InternalError, NixError
from aionix.io import EvalIO, FileReader, FileType, OpenEntry, is_missing, reason
from aionix.vm.account import Account, current_account
from aionix.vm.dependencies import Access, Trail
from aionix.vm.read_ahead import ReadAhead
from aionix.vm.run import current_trails

T = TypeVar("T")

#: Bytes that are read at once where there is a bound for them.
_PIECE = 1 << 20


class Backend(EvalIO):
    """Hands everything on to `io`.

    What a backend may say is a value of the right type or an OSError; anything else is a fault
    of it, and raised as BackendFailed.
    """

    def __init__(self, io: EvalIO) -> None:
        self._io = io
        #: Answers that may be there already; None if that does not pay.
        self.early = ReadAhead(io) if io.read_ahead else None

    async def read(self, path: str) -> bytes:
        with self._asked("read", path, Access.READ) as account:
            if account.budget.io_bytes is not None and self.early is None:
                return await self._read_bounded(path, account)
            data = _checked(bytes, await (self.early or self._io).read(path))
            account.read(len(data))
            return data

    async def _read_bounded(self, path: str, account: Account) -> bytes:
        """In pieces: what is too much is not waited for, nor kept. (What is read ahead has a bound.)"""
        pieces = []
        async with self._io.open(path) as reader:
            file = _Counted(reader, account)
            account.expect(file.size)
            while piece := await file.read(_PIECE):
                pieces.append(piece)
        return b"".join(pieces)

    async def read_dir(self, path: str) -> dict[str, FileType]:
        with self._asked("read_dir", path, Access.LISTED):
            entries = _checked(dict, await self._io.read_dir(path))
            for name, kind in entries.items():
                _checked(str, name)
                _checked(FileType, kind)
            return entries

    async def file_type(self, path: str) -> FileType:
        with self._asked("file_type", path, Access.PROBED):
            return _checked(FileType, await (self.early or self._io).file_type(path))

    async def read_link(self, path: str) -> str:
        with self._asked("read_link", path, Access.PROBED):
            return _checked(str, await self._io.read_link(path))

    async def is_executable(self, path: str) -> bool:
        with self._asked("is_executable", path, Access.PROBED):
            return await self._io.is_executable(path)

    def open(self, path: str) -> AbstractAsyncContextManager[FileReader]:
        return self._opened(path)

    @asynccontextmanager
    async def _opened(self, path: str) -> AsyncIterator[FileReader]:
        with self._opening("open", path, Access.READ) as account:
            async with self._io.open(path) as reader:
                yield _Counted(reader, account)

    def open_entry(
        self, path: str, kind: FileType | None = None
    ) -> AbstractAsyncContextManager[OpenEntry]:
        return self._opened_entry(path, kind)

    @asynccontextmanager
    async def _opened_entry(self, path: str, kind: FileType | None) -> AsyncIterator[OpenEntry]:
        with self._opening("open_entry", path, Access.READ) as account:
            async with self._io.open_entry(path, kind) as entry:
                _checked(OpenEntry, entry)
                yield entry if entry.file is None else entry._replace(file=_Counted(entry.file, account))

    async def resolve(self, path: str) -> str:
        with self._asked("resolve", path, Access.PROBED):
            return _checked(str, await self._io.resolve(path))

    async def path_exists(self, path: str) -> bool:
        with self._asked("path_exists", path, Access.PROBED):
            found = await self._io.path_exists(path)
            if not found:
                _note(current_trails(), path, Access.MISSING)
            return found

    async def import_path(self, path: str) -> str | None:
        with self._asked("import_path", path, Access.READ | Access.LISTED):
            return await self._io.import_path(path)

    @property
    def read_ahead(self) -> bool:
        return self._io.read_ahead

    def get_env(self, name: str) -> str | None:
        try:
            return self._io.get_env(name)
        except OSError as error:
            raise FileError(f"reading environment variable '{name}': {reason(error)}", name) from error
        except Exception as error:
            fault = _fault(self._io, "get_env", name, error)
            if fault is None:
                raise
            raise fault from error

    def store_dir(self) -> str | None:
        return self._io.store_dir()

    def _asked(self, method: str, path: str, access: Access) -> _Question:
        span = telemetry.span(f"io.{method}", "path", path, errors=False)
        return _Question(self._io, method, path, access, span)

    def _opening(self, method: str, path: str, access: Access) -> _Question:
        # It may be closed in another task, which ends no span that is current in this one.
        telemetry.point(f"io.{method}", "path", path)
        return _Question(self._io, method, path, access, None)


class _Question:
    """What is asked of the backend meanwhile is noted, and put down to the account that this gives.

    A generator would take four times as long.
    """

    __slots__ = ("_access", "_io", "_method", "_path", "_span", "_trails")

    def __init__(
        self,
        io: EvalIO,
        method: str,
        path: str,
        access: Access,
        span: AbstractContextManager[object] | None,
    ) -> None:
        self._io, self._method, self._path, self._access, self._span = io, method, path, access, span

    def __enter__(self) -> Account:
        account = current_account()
        account.ask()
        self._trails = current_trails()
        _note(self._trails, self._path, self._access)
        if self._span is not None:
            self._span.__enter__()
        return account

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        fault = None if error is None else _fault(self._io, self._method, self._path, error)
        if self._span is not None:
            if fault is None:
                self._span.__exit__(kind, error, traceback)
            else:
                self._span.__exit__(BackendFailed, fault, traceback)
        if isinstance(error, OSError) and is_missing(error):
            _note(self._trails, self._path, Access.MISSING)
        if fault is not None:
            raise fault from error


def _fault(io: EvalIO, method: str, path: str, error: BaseException) -> BackendFailed | None:
    """What a backend should not have raised, as an error that says so; None for others."""
    if isinstance(error, OSError | NixError | InternalError | MemoryError):
        return None
    if not isinstance(error, Exception):  # a cancellation
        return None
    what = f"{type(error).__name__}: {error}"
    return BackendFailed(f"{type(io).__name__}.{method} failed for '{path}': {what}", path)


def _note(trails: Iterable[Trail], path: str, access: Access) -> None:
    for trail in trails:
        trail.note(path, access)


class _Counted:
    """A reader whose bytes are put down to an account."""

    def __init__(self, reader: FileReader, account: Account) -> None:
        self._reader = reader
        self._account = account
        account.read(0)

    @property
    def size(self) -> int:
        return self._reader.size

    async def read(self, count: int) -> bytes:
        data = _checked(bytes, await self._reader.read(count))
        self._account.read(len(data), first=False)
        return data


def _checked(kind: type[T], value: object) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"expected {kind.__name__}, got {type(value).__name__}")
    return value
