"""Wire: GETs over one httpx2 client, within bounds, and repeated where that may help."""

from __future__ import annotations

import errno
import logging
import random
import re
import ssl
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TypeAlias
from urllib.parse import unquote_to_bytes

import anyio
import anyio.to_thread

try:
    import httpx2
    import stamina
except ImportError as error:
    raise ImportError('io_backends.Http needs two packages: pip install "aionix-eval[http]"') from error

from io_backends.http.body import Unsuitable, drain, read_body

# Who does not set up logging should not read "stamina.retry_scheduled" on standard error.
logging.getLogger("stamina").addHandler(logging.NullHandler())

Auth: TypeAlias = "tuple[str, str] | httpx2.Auth"
Headers: TypeAlias = Mapping[str, str]
_Origin: TypeAlias = "tuple[str, str, int | None]"

MAX_REDIRECTS = 5
_PHRASES = {int(status): status.phrase for status in HTTPStatus}
# Statuses that may be others in a moment; and 403, if it says when.
_PASSING = frozenset({429, 500, 502, 503, 504})
_DENIED = frozenset({401, 403, 407, 451})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: The status of an Answer that says that the path is one of a directory.
DIRECTORY = 301
_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said of a URL: 200, 206, 304, 404 or 416, or `DIRECTORY`.

    `body` is None if it is longer than was asked for. `size` is the content's, if it is known. `span`, of a
    206, is where the part begins, where it ends, and the size of the whole; of a 416, only the last is told.
    `url` is where the answer came from in the end, `link` what it says is the next page.
    """

    status: int
    body: bytes | None = None
    size: int | None = None
    span: tuple[int, int, int] | None = None
    etag: str | None = None
    modified: str | None = None
    content_type: str = ""
    url: str = ""
    link: str | None = None

    @property
    def is_file(self) -> bool:
        return self.status == HTTPStatus.OK

    @property
    def is_directory(self) -> bool:
        return self.status == DIRECTORY

    @property
    def validator(self) -> str | None:
        """What changes when the content does."""
        return self.etag or self.modified


class _PassingError(OSError):
    """What may be otherwise next time; `wait` is the number of seconds that the server asks for."""

    wait: float | None = None


class Wire:
    """One server, and those that it may redirect to. Failures are OSErrors without a path."""

    def __init__(
        self,
        url: str,
        *,
        headers: Headers | None,
        auth: Auth | None,
        transport: httpx2.AsyncBaseTransport | None,
        redirect_hosts: tuple[str, ...],
        connections: int,
        timeout: float,
        attempts: int,
        patience: float,
    ) -> None:
        given = _base(url)
        if given.username or given.password:
            auth = auth or (given.username, given.password)
        self.base = given.copy_with(userinfo=b"")
        self.name = str(self.base)
        self._headers = httpx2.Headers(headers)
        self._auth = httpx2.BasicAuth(*auth) if isinstance(auth, tuple) else auth
        self._transport = transport
        self._redirect_hosts = frozenset(host.lower() for host in redirect_hosts)
        self._connections = connections
        self._timeout = timeout
        self._attempts = attempts
        self._patience = patience
        self._limiters: dict[_Origin, anyio.CapacityLimiter] = {}
        self._http: httpx2.AsyncClient | None = None

    async def open(self) -> None:
        # On a thread: it reads the system's certificates.
        self._http = await anyio.to_thread.run_sync(self._client)

    async def close(self) -> None:
        http, self._http = self._http, None
        self._limiters.clear()  # they belong to this event loop
        if http is not None and self._transport is None:
            await http.aclose()

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            verify=_certificates(),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # none is kept
            transport=self._transport,
            timeout=self._timeout,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=self._connections),
            event_hooks={"response": [_drop_challenge]},
        )

    async def get(self, url: str, headers: Headers, limit: int) -> Answer:
        """The answer; its body if it has no more than `limit` bytes."""
        try:
            async for attempt in stamina.retry_context(
                on=self._again,
                attempts=self._attempts,
                timeout=self._patience,
                wait_jitter=0.2,
            ):
                with attempt:
                    return await self._redirected(url, headers, limit)
        except _PassingError as error:
            raise OSError(error.errno, error.strerror) from None
        raise AssertionError("stamina tries at least once")

    def next_page(self, answer: Answer) -> str | None:
        """The URL of the page that follows; it must be one that could be redirected to."""
        if answer.link is None:
            return None
        target = self._redirect(httpx2.URL(answer.url), answer.link)
        if isinstance(target, Answer):
            raise self._error(errno.EPROTO, "the next page is none")
        return str(target)

    def _again(self, error: Exception) -> bool | float:
        """Is it worth another attempt; if the server says so, when?"""
        if not isinstance(error, _PassingError):
            return False
        if error.wait is None:
            return True
        # Not all who were told the same should come back at the same moment.
        return error.wait <= self._patience and error.wait * random.uniform(1, 1.1)

    async def _redirected(self, start: str, headers: Headers, limit: int) -> Answer:
        url = httpx2.URL(start)
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._exchange(url, headers, limit)
            if isinstance(answer, Answer):
                return answer
            url = answer
        raise self._error(errno.ELOOP, f"more than {MAX_REDIRECTS} redirects")

    async def _exchange(self, url: httpx2.URL, headers: Headers, limit: int) -> Answer | httpx2.URL:
        """The answer of one request, or where it redirects to."""
        if self._http is None:
            raise RuntimeError("Http is open inside of `async with Http(...) as io:` only")
        own = _origin(url) == _origin(self.base)
        sent = httpx2.Headers(self._headers if own else None)
        sent.update(headers)
        request = self._http.build_request("GET", url, headers=sent)
        auth = self._auth if own and self._auth else httpx2.Auth()
        async with self._limiter(url):
            with self._told():
                with anyio.fail_after(self._timeout):
                    response = await self._http.send(request, stream=True, auth=auth)
                try:
                    return await self._received(url, response, limit)
                finally:
                    await response.aclose()

    def _limiter(self, url: httpx2.URL) -> anyio.CapacityLimiter:
        origin = _origin(url)
        if origin not in self._limiters:
            self._limiters[origin] = anyio.CapacityLimiter(self._connections)
        return self._limiters[origin]

    async def _received(
        self, url: httpx2.URL, response: httpx2.Response, limit: int
    ) -> Answer | httpx2.URL:
        status = response.status_code
        if status in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
            return await self._content(url, response, limit)
        await drain(response, self._timeout)
        if status in _REDIRECTS and "location" in response.headers:
            return self._redirect(url, response.headers["location"])
        if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            return Answer(HTTPStatus.NOT_FOUND)
        if status in (HTTPStatus.NOT_MODIFIED, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE):
            return Answer(status, span=_span(response))
        raise self._refusal(response)

    def _refusal(self, response: httpx2.Response) -> OSError:
        status = response.status_code
        words = f"{status} {_PHRASES.get(status, '')}".strip()
        wait = _retry_after(response.headers.get("retry-after", ""))
        if status in _PASSING or (status == HTTPStatus.FORBIDDEN and wait is not None):
            passing = self._passing(errno.EIO, words)
            passing.wait = wait
            return passing
        return self._error(errno.EACCES if status in _DENIED else errno.EPROTO, words)

    def _redirect(self, url: httpx2.URL, location: str) -> Answer | httpx2.URL:
        try:
            target = url.join(location).copy_with(userinfo=b"", fragment=None)
        except (httpx2.InvalidURL, ValueError):
            raise self._error(errno.EPROTO, "it leads to what is no URL") from None
        if unquote_to_bytes(target.path) == unquote_to_bytes(url.path) + b"/":
            return Answer(DIRECTORY)  # and not followed, so any host may be named
        if _origin(target) != _origin(url) and not self._may_leave_for(target):
            raise self._error(errno.EACCES, f"it leads to {_place(target)}, which is not allowed")
        return target

    def _may_leave_for(self, url: httpx2.URL) -> bool:
        """Another host, port or scheme than that of the last request."""
        if url.scheme not in ("http", "https") or (self.base.scheme, url.scheme) == ("https", "http"):
            return False
        if f"{url.host}:{url.port}" in self._redirect_hosts:
            return True
        upgraded = url.host == self.base.host and self.base.port is None
        return url.port is None and (upgraded or url.host in self._redirect_hosts)

    async def _content(self, url: httpx2.URL, response: httpx2.Response, limit: int) -> Answer:
        encoding = response.headers.get("content-encoding", "identity").lower()
        length = response.headers.get("content-length", "") if encoding == "identity" else ""
        size = int(length) if length.isdecimal() else None
        is_long = size is not None and size > limit
        body = None if is_long else await read_body(response, encoding, limit, self._timeout)
        return Answer(
            response.status_code,
            body,
            size,
            _span(response),
            response.headers.get("etag"),
            response.headers.get("last-modified"),
            response.headers.get("content-type", ""),
            str(url),
            response.links.get("next", {}).get("url"),
        )

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tells a failure in words of ours: those of the library may have a header in them."""
        try:
            yield
        except (httpx2.TimeoutException, TimeoutError):
            raise self._passing(errno.ETIMEDOUT, f"no answer within {self._timeout:g} s") from None
        except httpx2.ConnectError as error:
            raise self._passing(errno.ECONNREFUSED, f"cannot connect: {error}") from None
        except Unsuitable as error:
            raise self._error(errno.EPROTO, str(error)) from None
        except zlib.error:
            raise self._passing(errno.EPROTO, "the answer is not sound gzip") from None
        except (httpx2.LocalProtocolError, httpx2.UnsupportedProtocol):
            raise self._error(errno.EINVAL, "the request is not allowed in HTTP") from None
        except httpx2.HTTPError:
            raise self._passing(errno.ECONNRESET, "the answer broke off, or is not HTTP") from None

    def _error(self, code: int, problem: str) -> OSError:
        return OSError(code, f"{self.name}: {problem}")

    def _passing(self, code: int, problem: str) -> _PassingError:
        return _PassingError(code, f"{self.name}: {problem}")


@cache
def _certificates() -> ssl.SSLContext:
    """Those that the system trusts; they take 35 ms to read."""
    return httpx2.create_ssl_context()


async def _drop_challenge(response: httpx2.Response) -> None:
    """The body of a 401, which authentication in several steps would read whole, however long."""
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        await response.stream.aclose()  # type: ignore[union-attr]  # it is an asynchronous one
        response.stream = httpx2.ByteStream(b"")


def _base(url: str) -> httpx2.URL:
    with suppress(httpx2.InvalidURL):  # which would say what part is wrong, perhaps a password
        base = httpx2.URL(url)
        if base.scheme in ("http", "https") and base.host and not base.query and not base.fragment:
            return base
    raise ValueError("the URL must be http: or https:, with a host, and without `?` and `#`")


def _origin(url: httpx2.URL) -> _Origin:
    return url.scheme, url.host, url.port


def _place(url: httpx2.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}" if url.host else f"{url.scheme}:"


def _span(response: httpx2.Response) -> tuple[int, int, int] | None:
    """RFC 9110, section 14.4."""
    match = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    if match is None:
        return None
    first, last, size = match.groups()
    return (int(first), int(last) + 1, int(size)) if first else (0, 0, int(size))


def _retry_after(value: str) -> float | None:
    """Seconds from now; the header has them, or a date (RFC 9110, section 10.2.3)."""
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
