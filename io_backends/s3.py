"""S3: the objects of a bucket, as a tree of files."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from aionix.io import FileReader, FileType, Section

try:
    import obstore
    from obstore.exceptions import BaseError, InvalidPathError
    from obstore.store import S3Store
except ModuleNotFoundError as error:  # pragma: no cover
    raise ImportError('S3 needs obstore: pip install "aionix-eval[s3]"') from error

if TYPE_CHECKING:
    from obstore.store import S3Config

from io_backends.bridge import Bridged
from io_backends.threaded import MAX_FILE_SIZE, fail

#: What a directory may have.
MAX_ENTRIES = 100_000
_PIECE = 1 << 20
_RETRIES = 3
# What a message says of the cause. The message itself has the key's id, and what else a server writes.
_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
# By what a message contains, the first that fits.
_CAUSES = {
    "NoSuchBucket": errno.ENXIO,
    "status code: 401": errno.EACCES,
    "status code: 403": errno.EACCES,
    "status code: 404": errno.ENOENT,
    "ConnectionRefused": errno.ECONNREFUSED,
    "TimedOut": errno.ETIMEDOUT,
}


class S3(Bridged):
    """The objects of a bucket whose keys begin with `prefix/`, the slashes in keys being directories.

        S3("nix-releases", "nixos/24.05", region="eu-west-1", anonymous=True)
        S3("configs", endpoint_url="http://minio:9000", access_key_id=..., secret_access_key=...)

    Any server that speaks S3 will do. What is not given is taken from the environment, as the AWS tools do
    (`AWS_ACCESS_KEY_ID`, ...); `anonymous` asks without a signature. On trio use it as
    `async with S3(...) as io`: the library needs asyncio, which then runs in a thread.

    There are no links and no execute bits; a directory is there if there is something in it, or a marker (a
    key that ends in a slash). Where a key is both an object and a directory, the object counts. Each
    look is one request, or two: nothing is kept. A request is tried up to four times; after
    `timeout` seconds a look is ETIMEDOUT. A wrong key is EACCES, a bucket that is not there
    ENXIO. A directory with more than `max_entries` or a file of more than `max_file_size` bytes is
    EFBIG. Errors name the S3 error code, never the key's id, nor what else the server wrote.
    """

    name = "s3"
    faults = (BaseError, OSError, ValueError)

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        session_token: str | None = None,
        anonymous: bool = False,
        max_file_size: int = MAX_FILE_SIZE,
        max_entries: int = MAX_ENTRIES,
        max_requests: int = 32,
        timeout: float = 60.0,
    ) -> None:
        super().__init__(max_requests=max_requests, timeout=timeout)
        self._bucket = bucket
        self._prefix = prefix.strip("/")
        self._max_file_size = max_file_size
        self._max_entries = max_entries
        config: S3Config = {"skip_signature": True} if anonymous else {}
        if endpoint_url is not None:
            config["endpoint"] = endpoint_url
        if region is not None:
            config["region"] = region
        if access_key_id is not None:
            config["access_key_id"] = access_key_id
        if secret_access_key is not None:
            config["secret_access_key"] = secret_access_key
        if session_token is not None:
            config["session_token"] = session_token
        # Ours comes first, so that silence has one error text.
        seconds = timedelta(seconds=timeout + 5)
        self._store = S3Store(
            bucket,
            config=config,
            # `timeout` would bound a whole file that is read in pieces.
            client_options={
                "allow_http": (endpoint_url or "").startswith("http://"),
                "connect_timeout": seconds,
                "read_timeout": seconds,
                "timeout": timedelta(days=1),
            },
            retry_config={"max_retries": _RETRIES, "retry_timeout": seconds},
        )

    def __repr__(self) -> str:
        return f"S3({self._bucket!r}, {self._prefix!r})"

    async def read(self, path: str) -> bytes:
        return await self._look(path, self._read)

    async def read_dir(self, path: str) -> dict[str, FileType]:
        return await self._look(path, self._entries)

    async def file_type(self, path: str) -> FileType:
        return await self._look(path, self._kind)

    async def resolve(self, path: str) -> str:
        return path

    @asynccontextmanager
    async def open(self, path: str) -> AsyncIterator[FileReader]:
        yield await self._look(path, self._opened)

    @asynccontextmanager
    async def open_range(self, path: str, start: int, size: int) -> AsyncIterator[FileReader]:
        # A range of no bytes is unknown to HTTP.
        file = await self._look(path, lambda path: self._opened(path, (start, start + max(size, 1))))
        yield Section(file, min(size, file.size))

    def _told(self, error: Exception) -> OSError:
        return _told(error)

    # What follows runs on asyncio.

    async def _read(self, path: str) -> bytes:
        file = await self._opened(path)
        if file.size > self._max_file_size:
            fail(errno.EFBIG, f"s3: more than {self._max_file_size} bytes")
        pieces = [piece async for piece in file.pieces]
        return b"".join(pieces)

    async def _opened(self, path: str, part: tuple[int, int] | None = None) -> _Reader:
        key = self._key(path) or fail(errno.EISDIR)
        try:
            result = await obstore.get_async(self._store, key, options={"range": part} if part else None)
        except FileNotFoundError as error:
            if await self._kind(path) is FileType.DIRECTORY:
                fail(errno.EISDIR)
            raise _told(error) from None
        except BaseError as error:
            if "status code: 416" not in str(error):  # it begins where nothing is any more
                raise
            return _Reader(self, path, 0, _nothing())
        first, end = result.range
        return _Reader(self, path, end - first, aiter(result.stream(_PIECE)))

    async def _kind(self, path: str) -> FileType:
        if await self._is_object(path):
            return FileType.REGULAR
        if not await self._has_entries(path):
            fail(errno.ENOENT)
        return FileType.DIRECTORY

    async def _is_object(self, path: str) -> bool:
        key = self._key(path)
        if not key or path == "/":
            return False
        try:
            await obstore.head_async(self._store, key)
        except FileNotFoundError:
            return False
        return True

    async def _has_entries(self, path: str) -> bool:
        async for _ in obstore.list(self._store, self._key(path), chunk_size=1):
            return True
        return path == "/"

    async def _entries(self, path: str) -> dict[str, FileType]:
        key = self._key(path)
        found = await obstore.list_with_delimiter_async(self._store, key)
        objects, prefixes = found["objects"], found["common_prefixes"]
        if not objects and not prefixes and path != "/":
            fail(errno.ENOTDIR if await self._is_object(path) else errno.ENOENT)
        if len(objects) + len(prefixes) > self._max_entries:
            fail(errno.EFBIG, f"s3: more than {self._max_entries} entries")
        entries = {_base(prefix): FileType.DIRECTORY for prefix in prefixes}
        keys = [found["path"] for found in objects if found["path"] != key]  # not its marker
        return entries | {_base(key): FileType.REGULAR for key in keys}

    def _key(self, path: str) -> str:
        return f"{self._prefix}{path}".strip("/")


class _Reader:
    """A FileReader over an object that is being sent."""

    def __init__(self, io: S3, path: str, size: int, pieces: AsyncIterator[bytes]) -> None:
        self.size = size
        self.pieces = pieces
        self._io = io
        self._path = path
        self._left = b""

    async def read(self, count: int) -> bytes:
        if not self._left:
            self._left = await self._io._look(self._path, self._next)
        piece, self._left = self._left[:count], self._left[count:]
        return piece

    async def _next(self, _: str) -> bytes:
        return await anext(self.pieces, b"")


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield


def _told(error: Exception) -> OSError:
    if isinstance(error, OSError) and error.errno:  # ours
        return error
    message = str(error)
    default = errno.ENOENT if isinstance(error, FileNotFoundError) else errno.EIO
    code = next((code for words, code in _CAUSES.items() if words in message), default)
    if code == errno.ENOENT:
        return OSError(code, os.strerror(code))
    if isinstance(error, (ValueError, InvalidPathError)):
        return OSError(errno.EINVAL, "s3: a key that the library does not allow")
    said = _CODE.search(message) or _STATUS.search(message)
    return OSError(code, f"s3: {os.strerror(code)}" + (f" ({said[1]})" if said else ""))


def _base(key: str) -> str:
    return key.rpartition("/")[2]
