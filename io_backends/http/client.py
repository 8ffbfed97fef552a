"""Client: what a layout and the backend ask of a server; what came is kept, and asked for once."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import NamedTuple, TypeVar
from urllib.parse import quote_from_bytes

import anyio.to_thread

from io_backends.http.wire import Answer, Wire
from io_backends.once import Once

S = TypeVar("S")
T = TypeVar("T")

#: Bytes up to which a file that is looked at is read at once; of a larger one, only its size is seen.
LARGE = 1 << 22
# What an answer without a body takes in memory, about.
_SMALLEST = 1 << 10


class _Key(NamedTuple):
    url: str
    accept: str
    limit: int


class Client:
    """Documents and files by URL. OSErrors without a path tell what failed.

    Answers are kept, up to `cache_size` bytes; those older than `max_age` seconds, if that is not None, are
    asked for anew, with `If-None-Match`. What several ask for at the same time is requested once.
    """

    def __init__(
        self,
        wire: Wire,
        *,
        max_age: float | None,
        max_entries: int,
        max_listing_size: int,
        max_file_size: int,
        cache_size: int,
    ) -> None:
        self.max_age = max_age
        self.max_entries = max_entries
        self._wire = wire
        self._root = wire.name.rstrip("/")
        self._max_listing_size = max_listing_size
        self._max_file_size = max_file_size
        self._cache_size = cache_size
        self._kept: dict[_Key, Once[Answer]] = {}
        self._weights: dict[_Key, int] = {}
        self._weight = 0

    def url_of(self, path: str) -> str:
        """The URL of an absolute path below the base URL."""
        return self._root + quoted(path)

    async def look(self, url: str, accept: str = "*/*") -> Answer:
        """Is there a file, with its content unless it is large; a directory; or nothing?"""
        whole = self._kept.get(_Key(url, accept, self._max_file_size))
        return await (whole or self._once(_Key(url, accept, min(LARGE, self._max_file_size)))).get()

    async def content(self, url: str, accept: str = "*/*") -> bytes:
        """All bytes of a file. EFBIG if they are more than `max_file_size`."""
        looked = self._kept.get(_Key(url, accept, min(LARGE, self._max_file_size)))
        answer = await looked.get() if looked else None
        if answer is None or (answer.is_file and answer.body is None):
            answer = await self._once(_Key(url, accept, self._max_file_size)).get()
        if not answer.is_file:
            raise self.error(errno.ENOENT, "the file is gone")
        if answer.body is None:
            raise self.error(errno.EFBIG, f"a file of more than {self._max_file_size} bytes")
        return answer.body

    async def document(self, url: str, accept: str = "*/*") -> Listing:
        """A listing. EIO if there is none, EFBIG if it is too long. It is kept to be revalidated only, as who
        asks keeps what it says."""
        key = _Key(url, accept, self._max_listing_size)
        answer = await (self._fetch(key, None) if self.max_age is None else self._once(key).get())
        if not answer.is_file:
            raise self.error(errno.EIO, f"there is no listing at {url}")
        if answer.body is None:
            raise self.error(errno.EFBIG, f"a listing of more than {self._max_listing_size} bytes")
        return Listing(answer.body, answer.content_type, self._wire.next_page(answer))

    async def part(self, url: str, accept: str, start: int, size: int, validator: str | None) -> Answer:
        """Bytes of a file, asked for as a range; 200 if the server gives all, or it has another validator."""
        headers = {
            "accept": accept,
            "accept-encoding": "identity",
            "range": f"bytes={start}-{start + size - 1}",
        }
        if validator is not None and not validator.startswith("W/"):  # RFC 9110, section 13.1.5
            headers["if-range"] = validator
        return await self._wire.get(url, headers, self._max_file_size)

    def forget(self, url: str) -> None:
        """What was kept of `url` is not what it should be."""
        for key in [key for key in self._kept if key.url == url]:
            self._drop(key)

    def error(self, code: int, problem: str) -> OSError:
        return OSError(code, f"{self._wire.name}: {problem}")

    def misunderstood(self, problem: object) -> OSError:
        return self.error(errno.EPROTO, f"its listing is not understood: {problem}")

    async def understood(self, parse: Callable[[S], T], source: S) -> T:
        """What `parse` makes of a listing, on a worker thread. Its ValueError becomes EPROTO."""
        try:
            return await anyio.to_thread.run_sync(partial(parse, source), abandon_on_cancel=True)
        except ValueError as error:
            raise self.misunderstood(error) from None

    def _once(self, key: _Key) -> Once[Answer]:
        once = self._kept.get(key) or Once(lambda old: self._fetch(key, old), self.max_age)
        weight = self._drop(key)
        self._kept[key] = once  # at the end: used last
        self._weigh(key, weight or _SMALLEST)
        return once

    async def _fetch(self, key: _Key, old: Answer | None) -> Answer:
        headers = {"accept": key.accept, "accept-encoding": "gzip"}
        if old is not None and old.body is not None:
            headers |= _conditions(old)
        answer = await self._wire.get(key.url, headers, key.limit)
        if answer.status == HTTPStatus.NOT_MODIFIED and old is not None:
            return old
        if answer.status not in (HTTPStatus.OK, HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.NOT_FOUND):
            raise self.error(errno.EPROTO, f"{answer.status} was not asked for")
        if key in self._kept:
            self._weigh(key, _SMALLEST + len(answer.body or b""))
        return answer

    def _weigh(self, key: _Key, weight: int) -> None:
        """Notes what a kept answer takes, and drops those used least recently if all take too much."""
        self._weight += weight - self._weights.get(key, 0)
        self._weights[key] = weight
        while self._weight > self._cache_size:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: _Key) -> int:
        self._kept.pop(key, None)
        weight = self._weights.pop(key, 0)
        self._weight -= weight
        return weight


class Listing(NamedTuple):
    body: bytes
    content_type: str
    next_page: str | None


def _conditions(old: Answer) -> dict[str, str]:
    given = {"if-none-match": old.etag, "if-modified-since": old.modified}
    return {name: value for name, value in given.items() if value is not None}


def quoted(name: str, safe: str = "/") -> str:
    """A path, or with `safe=""` a name, as it stands in a URL."""
    return quote_from_bytes(name.encode("utf-8", "surrogateescape"), safe=safe)
