"""CPython's cyclic collector, while evaluations run.

Thunks, sets and closures are containers: at the default threshold the collector looks at the young ones
every 700, finds next to nothing, and takes up to half of the time (a fold over 300,000 numbers: 2.1 times).

What it costs to look at an object depends on how many there are: 0.05 us where all of them are in the
processor's cache, 0.1 us with 20,000, 0.5 us with a million.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

#: New containers between two looks, and such looks between two at what was found to live. What a service
#: leaves behind is freed at once: with 50,000 in up to 90 ms.
YOUNG, LOOKS = 5_000, 40

#: Containers that a program of our own makes before the collector looks for the first time, some 400 MB.
#: C++ Nix collects nothing either before its heap is that large.
FIRST = 5_000_000

_lock = Lock()
_users = 0
_before: tuple[int, int, int] | None = None


@contextmanager
def seldom() -> Iterator[None]:
    """The collector looks at young objects seldom meanwhile; a program that turned it off, or down
    further, is not interfered with."""
    _begin()
    try:
        yield
    finally:
        _end()


def _begin() -> None:
    global _users, _before
    with _lock:
        _users += 1
        young, *older = gc.get_threshold()
        if _users == 1 and 0 < young < YOUNG:
            _before = (young, older[0], older[1])
            gc.set_threshold(YOUNG, max(LOOKS, older[0]), older[1])


def _end() -> None:
    global _users, _before
    with _lock:
        _users -= 1
        if _users or _before is None:
            return
        if gc.get_threshold()[0] == YOUNG:  # else the program has set another one meanwhile
            gc.set_threshold(*_before)
        _before = None


def spare_the_first() -> None:
    """For a process that ends with its evaluation: what it has made by the time of the first look stays."""
    gc.freeze()
    gc.set_threshold(FIRST, LOOKS, 10)
    gc.callbacks.append(_first_look)


def _first_look(phase: str, info: dict[str, int]) -> None:
    gc.callbacks.remove(_first_look)
    gc.freeze()  # which is before it looks: there is nothing to see
    gc.set_threshold(YOUNG, LOOKS, 10)
