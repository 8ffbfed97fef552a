"""Sftp: the files of another machine, over SSH."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import NamedTuple, Self, TypeVar, TypeVarTuple

import anyio

from aionix.io import FileReader, FileType, OpenEntry, is_missing, walk_links

try:
    import asyncssh
    from asyncssh import SFTPAttrs, SFTPClient, SFTPClientFile
except ModuleNotFoundError as error:  # pragma: no cover
    raise ImportError('Sftp needs asyncssh: pip install "aionix-eval[sftp]"') from error

from io_backends.bridge import Bridged
from io_backends.paths import checked_name
from io_backends.threaded import MAX_FILE_SIZE, fail

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

#: What a directory may have.
MAX_ENTRIES = 100_000
# What is read in the look that opens a file: most have no more.
_HEAD = 1 << 18
# Parts of a path that are asked for at once.
_AHEAD = 32
# Seconds that closing may take.
_CLOSING = 5.0
_KINDS = {
    asyncssh.FILEXFER_TYPE_REGULAR: FileType.REGULAR,
    asyncssh.FILEXFER_TYPE_DIRECTORY: FileType.DIRECTORY,
    asyncssh.FILEXFER_TYPE_SYMLINK: FileType.SYMLINK,
}
_MISSING = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPNotADirectory)
_LOST = (ConnectionError, asyncssh.ConnectionLost, asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection)
# By what the library raises, the first that fits. Its words may name the user.
_CAUSES: dict[type[Exception] | tuple[type[Exception], ...], tuple[int, str]] = {
    _MISSING: (errno.ENOENT, os.strerror(errno.ENOENT)),
    asyncssh.SFTPPermissionDenied: (errno.EACCES, os.strerror(errno.EACCES)),
    asyncssh.HostKeyNotVerifiable: (errno.ECONNREFUSED, "sftp: the key of the server is not a known one"),
    asyncssh.PermissionDenied: (errno.EACCES, "sftp: the server refuses the login"),
    (asyncssh.DisconnectError, *_LOST[1:]): (errno.ECONNRESET, "sftp: the connection failed"),
}


class Sftp(Bridged):
    """The files below a directory of another machine.

        async with Sftp("files.example.org", "/srv/configs", username="ci", client_keys=["ci.key"]) as io:
            value = await aionix.evaluate_file("/site.nix", io=io)

    `async with` connects, and raises OSErrors if it cannot: EACCES if the login is refused, ECONNREFUSED
    if nobody listens or the server's key is not in the file `known_hosts` (by default the user's; False
    checks nothing). Without `client_keys` the user's keys and agent are asked; the SSH configuration
    is not read, as it may start programs. A look that finds the connection lost connects once more.

    `root` is the `/` of the evaluation; links are followed inside it only, by this side, as long as
    nobody makes links of directories meanwhile, which SFTP has no way to exclude. At most `max_requests`
    looks are under way at once. One that takes longer than `timeout` seconds is ETIMEDOUT, a
    directory of more than `max_entries` or a file of more than `max_file_size` bytes EFBIG. On trio,
    asyncio runs in a thread.
    """

    name = "sftp"
    faults = (asyncssh.Error, OSError, ValueError)  # the last of packets that cannot be decoded

    def __init__(
        self,
        host: str,
        root: str = "/",
        *,
        port: int = 22,
        username: str | None = None,
        password: str | None = None,
        client_keys: Sequence[str | os.PathLike[str]] | None = None,
        known_hosts: str | os.PathLike[str] | bool = True,
        max_file_size: int = MAX_FILE_SIZE,
        max_entries: int = MAX_ENTRIES,
        max_requests: int = 32,
        timeout: float = 60.0,
    ) -> None:
        super().__init__(max_requests=max_requests, timeout=timeout)
        self._host = host
        self._root = root.rstrip("/")
        self._max_file_size = max_file_size
        self._max_entries = max_entries
        self._options: dict[str, object] = {
            "config": None,
            "port": port,
            "password": password,
            # So a server that says nothing any more is a lost connection to later looks.
            "keepalive_interval": timeout / 2,
            "keepalive_count_max": 1,
        }
        if username is not None:
            self._options["username"] = username
        if client_keys is not None:
            self._options["client_keys"] = [os.fspath(key) for key in client_keys]
        if known_hosts is not True:
            self._options["known_hosts"] = os.fspath(known_hosts) if known_hosts else None
        self._entered = False
        self._connecting = asyncio.Lock()
        self._session: _Session | None = None

    def __repr__(self) -> str:
        return f"Sftp({self._host!r}, {self._root or '/'!r})"

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._entered = True
        try:
            await self._look("/", lambda _: self._connected())
        except BaseException as error:
            await self.__aexit__(type(error), error, None)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._entered = False
        try:
            with anyio.move_on_after(_CLOSING, shield=True):
                await self._bridge.run(self._disconnect)
        finally:
            await super().__aexit__(kind, error, trace)

    async def read(self, path: str) -> bytes:
        return await self._ask(path, _Session.read, self._max_file_size)

    async def read_dir(self, path: str) -> dict[str, FileType]:
        return await self._ask(path, _Session.entries, self._max_entries)

    async def file_type(self, path: str) -> FileType:
        return _kind((await self._ask(path, _Session.itself)).attrs)

    async def read_link(self, path: str) -> str:
        return await self._ask(path, _Session.link)

    async def is_executable(self, path: str) -> bool:
        return _executable((await self._ask(path, _Session.itself)).attrs)

    async def resolve(self, path: str) -> str:
        return await self._ask(path, _Session.resolved)

    async def path_exists(self, path: str) -> bool:
        try:
            await self._ask(path, _Session.followed)
        except OSError as error:
            if not is_missing(error):
                raise
            return False
        return True

    @asynccontextmanager
    async def open(self, path: str) -> AsyncIterator[FileReader]:
        async with self._reading(path, await self._ask(path, _Session.open)) as reader:
            yield reader

    @asynccontextmanager
    async def open_range(self, path: str, start: int, size: int) -> AsyncIterator[FileReader]:
        async with self._reading(path, await self._ask(path, _Session.open, start, size)) as reader:
            yield reader

    @asynccontextmanager
    async def open_entry(self, path: str, kind: FileType | None = None) -> AsyncIterator[OpenEntry]:
        attrs, file = await self._ask(path, _Session.open_entry)
        if file is None:
            yield OpenEntry(_kind(attrs))
            return
        async with self._reading(path, file) as reader:
            yield OpenEntry(FileType.REGULAR, _executable(attrs), reader)

    async def _ask(self, path: str, question: Callable[[_Session, str, *Ts], Awaitable[T]], *args: *Ts) -> T:
        """The session's answer; it is asked once more if the connection turns out to be lost."""

        async def asked(path: str) -> T:
            session = await self._connected()
            try:
                return await question(session, path, *args)
            except _LOST:
                self._forget(session)
                return await question(await self._connected(), path, *args)

        return await self._look(path, asked)

    @asynccontextmanager
    async def _reading(self, path: str, file: _File) -> AsyncIterator[_Reader]:
        try:
            yield _Reader(file, lambda count: self._look(path, lambda _: file.next(count)))
        finally:
            if not file.closed:
                with anyio.move_on_after(_CLOSING, shield=True), suppress(OSError):
                    await self._look(path, lambda _: file.close())

    def _told(self, error: Exception) -> OSError:
        for kind, (code, words) in _CAUSES.items():
            if isinstance(error, kind):
                return OSError(code, words)
        if not isinstance(error, OSError):
            return OSError(errno.EIO, f"sftp: it failed ({type(error).__name__})")
        return error

    # What follows runs on asyncio.

    async def _connected(self) -> _Session:
        if not self._entered:
            raise RuntimeError("Sftp is connected inside `async with` only")
        async with self._connecting:
            if self._session is None:
                self._session = await self._connect()
            return self._session

    async def _connect(self) -> _Session:
        try:
            connection = await asyncssh.connect(self._host, **self._options)
        except OSError as error:  # nobody listens, a name that is not known, a key that cannot be read
            number = error.errno or 0
            words = os.strerror(number) if number > 0 else "is the name of the host right?"
            if error.filename is not None:  # of a key, or of `known_hosts`
                words += f": {error.filename}"
            code = number if isinstance(error, ConnectionError) else errno.ENXIO
            raise OSError(code, f"sftp: cannot connect ({words})") from None
        try:
            return _Session(connection, await connection.start_sftp_client(), self._root)
        except BaseException:
            connection.abort()
            raise

    def _forget(self, session: _Session) -> None:
        session.connection.abort()
        if self._session is session:
            self._session = None

    async def _disconnect(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.connection.close()
            await session.connection.wait_closed()


class _Entry(NamedTuple):
    """What is at a path whose parents are free of links."""

    path: str
    attrs: SFTPAttrs


class _Session:
    """A connection, and what is asked over it. The library's errors come as they are."""

    def __init__(self, connection: asyncssh.SSHClientConnection, files: SFTPClient, root: str) -> None:
        self.connection = connection
        self._files = files
        self._root = root

    async def itself(self, path: str) -> _Entry:
        """What is at `path`, its parents' links followed, but not its own."""
        walk = await _Walk.begun(self, path)
        parent, _, name = path.rpartition("/")
        return await walk.entry(f"{(await walk.resolved(parent)).rstrip('/')}/{name}")

    async def followed(self, path: str) -> _Entry:
        walk = await _Walk.begun(self, path)
        return await walk.entry(await walk.resolved(path))

    async def resolved(self, path: str) -> str:
        return await (await _Walk.begun(self, path)).resolved(path)

    async def link(self, path: str) -> str:
        entry = await self.itself(path)
        if _kind(entry.attrs) is not FileType.SYMLINK:
            fail(errno.EINVAL)
        return await self.target(entry.path)

    async def entries(self, path: str, limit: int) -> dict[str, FileType]:
        entry = await self.followed(path)
        if _kind(entry.attrs) is not FileType.DIRECTORY:
            fail(errno.ENOTDIR)
        found: dict[str, FileType] = {}
        async for name in self._files.scandir(self._place(entry.path)):
            if name.filename not in (b".", b".."):
                found[_name(name.filename)] = _kind(name.attrs)
            if len(found) > limit:
                fail(errno.EFBIG, f"sftp: more than {limit} entries")
        return found

    async def read(self, path: str, limit: int) -> bytes:
        file = await self._opened(await self.followed(path))
        try:
            if file.size > limit:
                fail(errno.EFBIG, f"sftp: more than {limit} bytes")
            return await file.next(file.size)
        finally:
            await file.close()

    async def open(self, path: str, start: int = 0, size: int | None = None) -> _File:
        file = await self._opened(await self.followed(path))
        file.limit(start, size)
        await file.read_head()
        return file

    async def open_entry(self, path: str) -> tuple[SFTPAttrs, _File | None]:
        entry = await self.itself(path)
        if _kind(entry.attrs) is not FileType.REGULAR:
            return entry.attrs, None
        file = await self._opened(entry)
        await file.read_head()
        return entry.attrs, file

    async def _opened(self, entry: _Entry) -> _File:
        kind = _kind(entry.attrs)
        if kind is not FileType.REGULAR:
            fail(errno.EISDIR if kind is FileType.DIRECTORY else errno.EINVAL)
        if entry.attrs.size is None:
            fail(errno.EIO, "sftp: the server does not tell how large the file is")
        file = await self._files.open(self._place(entry.path), "rb", encoding=None)
        return _File(entry.attrs.size, file)

    async def status(self, path: str) -> SFTPAttrs | None:
        """None if there is nothing."""
        # The root itself may be a link.
        ask = self._files.stat if path == "/" else self._files.lstat
        try:
            return await ask(self._place(path))
        except _MISSING:
            return None

    async def target(self, path: str) -> str:
        return _text(await self._files.readlink(self._place(path)))

    def _place(self, path: str) -> bytes:
        if "\0" in path:
            fail(errno.EINVAL)
        return (self._root + path).encode("utf-8", "surrogateescape")


class _Walk:
    """Follows the links of one path."""

    def __init__(self, session: _Session, known: dict[str, SFTPAttrs | None]) -> None:
        self._session = session
        self._known = known

    @classmethod
    async def begun(cls, session: _Session, path: str) -> Self:
        """Asks for the path and all above it at once: if there is no link, nothing is left to be asked."""
        ends = [index for index, letter in enumerate(path) if letter == "/" and index][: _AHEAD - 1]
        paths = [path[:end] for end in ends] + [path]
        found = await asyncio.gather(*map(session.status, paths), return_exceptions=True)
        # What failed is asked again if it matters. What is below a link will not matter.
        known = {at: it for at, it in zip(paths, found, strict=True) if not isinstance(it, BaseException)}
        return cls(session, known)

    async def resolved(self, path: str) -> str:
        walk = walk_links(path)
        try:
            step = next(walk)
            while True:
                step = walk.send(await self._target(step))
        except StopIteration as end:
            return str(end.value)

    async def entry(self, path: str) -> _Entry:
        return _Entry(path, await self._status(path) or fail(errno.ENOENT))

    async def _target(self, path: str) -> str | None:
        attrs = await self._status(path)
        is_link = attrs is not None and _kind(attrs) is FileType.SYMLINK
        return await self._session.target(path) if is_link else None

    async def _status(self, path: str) -> SFTPAttrs | None:
        if path not in self._known:
            try:
                self._known[path] = await self._session.status(path)
            except asyncssh.SFTPFailure:
                # Version 3 of SFTP has no other word for a path through a file.
                above = await self._status(path.rpartition("/")[0] or "/") if path != "/" else None
                if above is None or _kind(above) is FileType.DIRECTORY:
                    raise
                self._known[path] = None
        return self._known[path]


class _File:
    """An open file. Its beginning, most often all of it, is read at once."""

    def __init__(self, size: int, file: SFTPClientFile) -> None:
        self.size = size
        self.head = b""
        self.left = size
        self._at = 0
        self._file: SFTPClientFile | None = file

    def limit(self, start: int, size: int | None) -> None:
        """Only that part of it is to be read."""
        self._at = min(start, self.size)
        rest = self.size - self._at
        self.size = self.left = rest if size is None else min(size, rest)

    async def read_head(self) -> None:
        try:
            self.head = await self.next(min(_HEAD, self.size))
        except BaseException:
            await self.close()
            raise
        if not self.left:
            await self.close()

    async def next(self, count: int) -> bytes:
        wanted = min(count, self.left)
        piece = bytes(await self._file.read(wanted, self._at)) if self._file is not None else b""  # type: ignore
        self._at += len(piece)
        self.left -= len(piece)
        if len(piece) < wanted:
            fail(errno.EIO, f"sftp: a file of {self.size} bytes ended after {self.size - self.left}")
        if len(piece) > wanted:
            fail(errno.EIO, f"sftp: {len(piece)} bytes came where {wanted} were asked for")
        return piece

    @property
    def closed(self) -> bool:
        return self._file is None

    async def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            await file.close()


class _Reader:
    """A FileReader over a file; `more` looks for what follows its head."""

    def __init__(self, file: _File, more: Callable[[int], Awaitable[bytes]]) -> None:
        self.size = file.size
        self._file = file
        self._more = more

    async def read(self, count: int) -> bytes:
        if not self._file.head and self._file.left:
            return await self._more(count)
        piece, self._file.head = self._file.head[:count], self._file.head[count:]
        return piece


def _kind(attrs: SFTPAttrs) -> FileType:
    return _KINDS.get(attrs.type, FileType.UNKNOWN)


def _executable(attrs: SFTPAttrs) -> bool:
    return _kind(attrs) is FileType.REGULAR and bool((attrs.permissions or 0) & stat.S_IXUSR)


def _name(name: str | bytes) -> str:
    try:
        return checked_name(_text(name))
    except ValueError as error:
        fail(errno.EIO, f"sftp: {error}")


def _text(name: str | bytes) -> str:
    return name if isinstance(name, str) else name.decode("utf-8", "surrogateescape")
