"""Fetch: one commit of a repository elsewhere, into a bare repository here.

Over smart HTTP, without a git program. Nothing that the server sends is trusted: what it can make large
is bounded before it is kept. gitprotocol-http(5), gitprotocol-v2(5).
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, BinaryIO, TypeVar

from dulwich.client import FetchPackResult
from dulwich.errors import NotGitRepository
from dulwich.object_store import ObjectStoreGraphWalker
from dulwich.objects import ObjectID
from dulwich.refs import Ref
from dulwich.repo import Repo

from io_backends.git.bounds import check_pack
from io_backends.git.refs import is_full_id, places_of
from io_backends.git.transport import Client, Line, Remote
from io_backends.threaded import fail

T = TypeVar("T")

# The names of some 500,000 refs.
_MAX_REFS_SIZE = 1 << 26


@dataclass(frozen=True)
class Limits:
    """Bytes that come, of an object, of all objects; and seconds without a byte."""

    received: int
    object: int
    objects: int
    silence: float


class Fetch:
    """One fetch. Its methods block; `give_up`, from another thread, makes `run` fail soon."""

    def __init__(self, url: str, ref: str, limits: Limits) -> None:
        self._remote = Remote.of(url)
        self._line = Line(self._remote, limits.silence)
        self._ref = ref
        self._limits = limits
        self._ending = threading.Lock()
        self._given_up = False
        self._result: str | None = None

    @property
    def url(self) -> str:
        """Without credentials."""
        return self._remote.url

    def run(self, directory: str | None) -> tuple[str, str]:
        """The directory of the repository, and the id of what was fetched.

        Without `directory` it is a new temporary one. What was made is removed if the fetch fails.
        """
        path, is_new = _made(directory)
        try:
            id = _blamed(self.url, lambda: self._fetched(path)).decode()
            self._end(path if is_new else None)
            return path, id
        except BaseException:
            if is_new:
                shutil.rmtree(path, ignore_errors=True)
            raise
        finally:
            self._line.cut()

    def give_up(self) -> None:
        """Nobody wants the result: also one that is there already is removed."""
        self._line.cut()
        with self._ending:
            self._given_up = True
        if self._result is not None:
            shutil.rmtree(self._result, ignore_errors=True)

    def _end(self, made: str | None) -> None:
        with self._ending:
            if self._given_up:
                raise ConnectionAbortedError(errno.ECONNABORTED, "git: the fetch was given up", self.url)
            self._result = made

    def _fetched(self, path: str) -> ObjectID:
        client = Client(self._remote, self._line, _MAX_REFS_SIZE)
        names = [Ref(os.fsencode(place)) for place in places_of(self._ref)]
        found: list[tuple[Ref, ObjectID]] = []

        def wanted(refs: Mapping[Ref, ObjectID], depth: int | None = None) -> list[ObjectID]:
            if client.dumb:
                fail(errno.EPROTO, "git: the server does not speak git's smart protocol")
            client.limit = self._limits.received
            found.append(self._choice(refs, names))
            return [] if _has(path, found[0][1]) else [found[0][1]]

        with tempfile.TemporaryFile(dir=path) as pack:
            walker = ObjectStoreGraphWalker([], lambda _: [])
            try:
                result = client.fetch_pack("", wanted, walker, pack.write, depth=1, ref_prefix=names)
            except Exception as error:
                raise client.failure or error from None
            if pack.tell():
                self._keep(path, pack, result)
        name, id = found[0]
        if not _has(path, id):
            fail(errno.EPROTO, "git: the server did not send what it was asked for")
        with Repo(path) as repo:
            repo.refs[name] = id
        return id

    def _keep(self, path: str, pack: BinaryIO, result: FetchPackResult) -> None:
        with _repository(path, result.object_format) as repo:
            check_pack(pack, repo.object_format.oid_length, self._limits.object, self._limits.objects)
            _add(repo, pack)
            repo.update_shallow(result.new_shallow, result.new_unshallow)

    def _choice(self, refs: Mapping[Ref, ObjectID], names: list[Ref]) -> tuple[Ref, ObjectID]:
        """What the repository here will call it, and what it is."""
        if is_full_id(self._ref):
            return Ref(f"refs/fetched/{self._ref}".encode()), ObjectID(self._ref.encode())
        for name in names:
            if name in refs:
                return name, refs[name]
        fail(errno.ENXIO, f"git: there is no '{self._ref}' on the server")


def _made(directory: str | None) -> tuple[str, bool]:
    """Where the repository will be, and whether that is new."""
    if directory is None:
        return tempfile.mkdtemp(prefix="aionix-git-"), True
    is_new = not os.path.lexists(directory)
    os.makedirs(directory, exist_ok=True)
    return directory, is_new


def _has(path: str, id: ObjectID) -> bool:
    if not os.listdir(path):
        return False
    with _repository(path, None) as repo:
        return id in repo.object_store


def _repository(path: str, object_format: str | None) -> Repo:
    if not os.listdir(path):
        return Repo.init_bare(path, object_format=object_format)
    try:
        return Repo(path)
    except NotGitRepository:
        fail(errno.ENOTEMPTY, "git: the directory is neither empty nor a repository")


def _add(repo: Repo, pack: IO[bytes]) -> None:
    file, commit, abort = repo.object_store.add_pack()
    try:
        pack.seek(0)
        shutil.copyfileobj(pack, file)
        commit()
    except BaseException:
        with suppress(OSError):
            abort()
        raise


def _blamed(url: str, function: Callable[[], T]) -> T:
    """What goes wrong is told as an OSError about `url`, without the words of a library or a server."""
    try:
        return function()
    except TimeoutError:
        told = OSError(errno.ETIMEDOUT, "git: the server does not answer")
    except ssl.SSLError as error:
        told = OSError(errno.ECONNABORTED, f"git: no secure connection ({error.reason})")
    except socket.gaierror:
        told = OSError(errno.EHOSTUNREACH, "git: the name of the server is not known")
    except OSError as error:
        told = OSError(error.errno or errno.EIO, error.strerror or "git: it failed")
    except Exception as error:
        told = OSError(errno.EPROTO, f"git: the server breaks the protocol ({type(error).__name__})")
    told.filename = url
    raise told
