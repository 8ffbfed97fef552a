"""Once: a value that several may ask for at the same time, and that is made one time."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from io_backends.single_flight import SingleFlight

T = TypeVar("T")


class Once(Generic[T]):
    """What `make` gives: made when it is first asked for, and anew when it is older than `max_age` seconds.

        page = Once(lambda old: fetch(url))
        await page.get()

    `make` gets the value that there was before, or None. Errors are not kept.
    """

    def __init__(self, make: Callable[[T | None], Awaitable[T]], max_age: float | None = None) -> None:
        self._make = make
        self._max_age = max_age
        self._flights = SingleFlight[str, T]()
        self._value: T | None = None
        self._made_at = 0.0

    async def get(self) -> T:
        value = self._value
        return value if value is not None and self._is_fresh() else await self._flights.run("", self._made)

    def _is_fresh(self) -> bool:
        return self._max_age is None or time.monotonic() - self._made_at < self._max_age

    async def _made(self) -> T:
        self._value = value = await self._make(self._value)
        self._made_at = time.monotonic()
        return value
