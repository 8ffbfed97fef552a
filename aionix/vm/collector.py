"""CPython's cyclic collector, while evaluations run.

Thunks, sets and closures are containers: at the default threshold the collector looks at the young ones
every 700, finds next to nothing, and takes up to half of the time (a fold over 300,000 numbers: 2.1 times).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

#: New containers between two looks. From 20,000 on it makes no difference, and 10,000 cost a fold a fifth;
#: but what a service leaves behind is freed at once, with 50,000 in up to 90 ms.
YOUNG = 20_000

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
            gc.set_threshold(YOUNG, *older)


def _end() -> None:
    global _users, _before
    with _lock:
        _users -= 1
        if _users or _before is None:
            return
        if gc.get_threshold()[0] == YOUNG:  # else the program has set another one meanwhile
            gc.set_threshold(*_before)
        _before = None
