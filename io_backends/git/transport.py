"""Transport: requests to one server, over connections that can be cut from another thread."""

from __future__ import annotations

import base64
import errno
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urljoin, urlsplit

from dulwich.client import AbstractHttpGitClient

from io_backends.threaded import fail

_CONNECTING = 10.0
_REDIRECTS = 5
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Remote:
    """Where a repository is; and who asks for it, which is not told."""

    url: str
    credentials: str | None = field(repr=False)

    @classmethod
    def of(cls, url: str) -> Self:
        """ValueError, without the words of the URL, if it is none of HTTP."""
        try:
            parts = urlsplit(url)
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            raise ValueError("that is no URL") from None
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("a repository is fetched by http or https")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        user = None
        if parts.username is not None:
            user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return cls(f"{parts.scheme}://{host}{port}{parts.path}", user)

    def may_lead_to(self, url: str) -> bool:
        """Is it the same server, or its encrypted side?"""
        here, there = _origin(self.url), _origin(url)
        return here == there or (here[0], there) == ("http", ("https", here[1], 443))


class Line:
    """Connections to one server, and to no other, whatever it redirects to.

    A server that sends nothing for `silence` seconds is a TimeoutError.
    """

    def __init__(self, remote: Remote, silence: float) -> None:
        self._remote = remote
        self._silence = silence
        self._lock = threading.Lock()
        self._handles: list[socket.socket] = []
        self._is_cut = False

    def cut(self) -> None:
        """Ends every connection: who waits for an answer fails at once. There are no new ones."""
        with self._lock:
            self._is_cut = True
            for handle in self._handles:
                with suppress(OSError):
                    handle.shutdown(socket.SHUT_RDWR)
                handle.close()
            self._handles.clear()

    def ask(
        self, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[str, http.client.HTTPResponse]:
        """The answer, and the URL that gave it after redirections. OSErrors for all but 200."""
        for _ in range(_REDIRECTS):
            if not self._remote.may_lead_to(url):
                fail(errno.EACCES, "git: the server redirects to another one")
            response = self._request(url, headers, body)
            target = response.headers.get("Location")
            if body is not None or target is None or response.status not in range(301, 309):
                _refuse(response.status)
                return url, response
            response.close()
            url = urljoin(url, target)
        fail(errno.ELOOP, "git: the server redirects without end")

    def _request(self, url: str, headers: Mapping[str, str], body: bytes | None) -> http.client.HTTPResponse:
        scheme, host, port = _origin(url)
        connection = http.client.HTTPConnection(host, port)
        connection.sock = self._connected(scheme, host, port)
        try:
            path = urlsplit(url)._replace(scheme="", netloc="", fragment="").geturl()
            method = "GET" if body is None else "POST"
            connection.request(method, path, body, {**headers, **self._authorization()})
            return connection.getresponse()  # which keeps the connection open until it is read
        except BaseException:
            connection.close()
            raise

    def _connected(self, scheme: str, host: str, port: int) -> socket.socket:
        sock = socket.create_connection((host, port), min(_CONNECTING, self._silence))
        with self._lock:
            if self._is_cut:
                sock.close()
                raise ConnectionAbortedError(errno.ECONNABORTED, "git: the fetch was given up")
            self._handles.append(sock.dup())
        sock.settimeout(self._silence)
        if scheme == "http":
            return sock
        return ssl.create_default_context().wrap_socket(sock, server_hostname=host)

    def _authorization(self) -> dict[str, str]:
        if self._remote.credentials is None:
            return {}
        return {"Authorization": "Basic " + base64.b64encode(self._remote.credentials.encode()).decode()}


class Answer:
    """A response, as dulwich takes it."""

    def __init__(self, response: http.client.HTTPResponse, url: str, asked: str) -> None:
        self.content_type = response.headers.get("Content-Type")
        self.redirect_location = "" if url == asked else url
        self.close = response.close


class Client(AbstractHttpGitClient):
    """dulwich's client over a line. What comes is counted: more than `limit` bytes are EFBIG."""

    def __init__(self, remote: Remote, line: Line, limit: int) -> None:
        super().__init__(remote.url, quiet=True)
        self._line = line
        self.limit = limit
        #: What ended the reading of an answer; dulwich makes other errors of it.
        self.failure: OSError | None = None

    def _http_request(  # type: ignore[override]  # it takes whatever has these attributes
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
        raise_for_status: bool = True,
    ) -> tuple[Answer, Callable[[int], bytes]]:
        body = data if isinstance(data, bytes | None) else b"".join(data)
        final, response = self._line.ask(url, headers or {}, body)

        def read(count: int) -> bytes:
            try:
                piece = response.read(count)
                self.limit -= len(piece)
                if self.limit < 0:
                    fail(errno.EFBIG, "git: the server sends too much")
            except OSError as error:
                self.failure = error
                raise
            return piece

        return Answer(response, final, url), read


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)


def _refuse(status: int) -> None:
    if status in (401, 403):
        fail(errno.EACCES, f"git: the server refuses ({status})")
    if status == 404:
        fail(errno.ENXIO, "git: the server has no such repository")
    if status != 200:
        fail(errno.EIO, f"git: the server answers {status}")
