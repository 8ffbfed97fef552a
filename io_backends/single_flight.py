"""Single flight: who asks for what is being fetched waits for it, instead of fetching it again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from copy import copy
from functools import partial
from typing import Generic, NoReturn, TypeVar

import anyio

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class SingleFlight(Generic[K, T]):
    """At most one piece of work for a key at a time; all who ask meanwhile are given its outcome.

        flights = SingleFlight[str, bytes]()
        data = await flights.run(url, lambda: download(url))

    The work runs in the task of whoever asked first. If that one is cancelled, one of the others takes
    over with work of its own, so nobody fails because of a stranger. An exception is an outcome: it
    is raised to all, an OSError as a copy of its own for each. Nothing is kept afterwards.
    """

    def __init__(self) -> None:
        self._flights: dict[K, _Flight[T]] = {}

    def __len__(self) -> int:
        """How many pieces of work are under way."""
        return len(self._flights)

    async def run(self, key: K, work: Callable[[], Awaitable[T]]) -> T:
        """The outcome of the work for `key` that is under way, else of `work`."""
        while flight := self._flights.get(key):
            await flight.ended.wait()
            if flight.outcome is not None:
                return flight.outcome()
        return await self._fly(key, work)

    async def _fly(self, key: K, work: Callable[[], Awaitable[T]]) -> T:
        flight = self._flights[key] = _Flight[T]()
        try:
            result = await work()
            flight.outcome = lambda: result
            return result
        except Exception as error:  # a cancellation is none, and leaves the others without an outcome
            flight.outcome = partial(_raise_again, error)
            raise
        finally:
            del self._flights[key]
            flight.ended.set()


class _Flight(Generic[T]):
    def __init__(self) -> None:
        self.ended = anyio.Event()
        self.outcome: Callable[[], T] | None = None


def _raise_again(error: Exception) -> NoReturn:
    # Whoever catches an OSError may write another `filename` into it.
    raise copy(error) if isinstance(error, OSError) else error
