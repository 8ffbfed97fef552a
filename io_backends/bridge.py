"""Bridged: what backends share whose libraries need asyncio, whichever event loop runs."""

from __future__ import annotations

import asyncio
import errno
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Self, TypeVar, TypeVarTuple

import anyio
import anyio.to_thread
from anyio.from_thread import BlockingPortal, start_blocking_portal

from aionix.io import EvalIO
from io_backends.threaded import forget_origin

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Bridged(EvalIO):
    """A backend written with coroutine functions that need asyncio, awaited through `_look`.

    At most `max_requests` looks are under way at once; one that takes longer than `timeout` seconds, or
    waits that long for its turn, is ETIMEDOUT. On trio, asyncio runs in a thread between the
    beginning and the end of `async with`.
    """

    #: What errors call it.
    name: str
    #: What the library raises, OSErrors among it.
    faults: tuple[type[Exception], ...]

    def __init__(self, *, max_requests: int, timeout: float) -> None:
        self._timeout = timeout
        self._turn = anyio.Semaphore(max_requests)
        self._bridge = _Bridge()

    async def __aenter__(self) -> Self:
        await self._bridge.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._bridge.stop()

    @property
    def read_ahead(self) -> bool:
        return True

    @abstractmethod
    def _told(self, error: Exception) -> OSError:
        """What the library raised, without anything that must not be told."""

    async def _look(self, path: str, function: Callable[[str], Awaitable[T]]) -> T:
        """The result of `await function(path)`, on asyncio, with errors that name `path`."""
        with anyio.move_on_after(self._timeout):
            async with self._turn:
                try:
                    return await self._bridge.run(function, path)
                except self.faults as error:
                    told = self._told(error)
            forget_origin(told)
            told.filename = path
            raise told
        raise OSError(errno.ETIMEDOUT, f"{self.name}: no answer within {self._timeout:g} s", path)


class _Bridge:
    """On asyncio it awaits in place, on trio in a thread."""

    _portal: BlockingPortal | None = None
    _thread: AbstractContextManager[BlockingPortal]

    async def start(self) -> None:
        if not _on_asyncio() and self._portal is None:
            self._thread = start_blocking_portal("asyncio")
            self._portal = await anyio.to_thread.run_sync(self._thread.__enter__)

    async def stop(self) -> None:
        portal, self._portal = self._portal, None
        if portal is not None:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(portal.call, portal.stop, True)
                await anyio.to_thread.run_sync(self._thread.__exit__, None, None, None)

    async def run(self, function: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
        """The result of `await function(*args)`. A cancelled wait cancels it.

        Raises RuntimeError on trio outside of `async with`.
        """
        if _on_asyncio():
            return await function(*args)
        if self._portal is None:
            raise RuntimeError("this backend needs asyncio; on trio, use it inside `async with`")
        return await _elsewhere(self._portal, function, *args)


async def _elsewhere(portal: BlockingPortal, function: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    import trio

    done = anyio.Event()
    token = trio.lowlevel.current_trio_token()

    def wake(_: object) -> None:
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(done.set)

    future = portal.start_task_soon(function, *args)
    future.add_done_callback(wake)
    try:
        await done.wait()
    except BaseException:
        with anyio.CancelScope(shield=True):  # `cancel` waits for the other thread
            await anyio.to_thread.run_sync(future.cancel)
        raise
    return future.result()


def _on_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
