"""What keeps a walk through values from going on for ever, or from keeping the event loop."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle

from aionix.errors import InternalError, OutOfMemory, StackOverflow
from aionix.values.thunk import current_fiber

#: Levels of lists and sets in each other that may be compared, coerced or forced. C++ Nix ends
#: below 100,000 for want of stack; here a level costs some 500 bytes, so endless data is an error
#: at about 100 MB.
MAX_NESTING = 200_000
#: Characters of one string, which take up to 4 bytes each: doubling a string ends at 1 GB.
MAX_STRING = 2**28
#: Elements of one list. With a thunk of some 160 bytes for each, that is 2.7 GB.
MAX_LIST = 2**24


#: What is smaller than so many bytes is made without asking whether the evaluation has room for it.
LARGE = 2**20


def check_string(length: int, parts: Iterable[str] = ()) -> None:
    """Raises OutOfMemory for a string that would have `length` characters, made of `parts`, if that is too
    many; MemoryExceeded if the evaluation has no room for it."""
    if length > MAX_STRING:
        raise OutOfMemory(f"cannot create string of size {length}, which is over {MAX_STRING}")
    if length > LARGE:
        # Up to 4 bytes each, and two more copies while lone bytes are looked for.
        need(length if all([part.isascii() for part in parts]) else 12 * length)


def check_strings(parts: Iterable[str]) -> None:
    """`check_string` for the parts in a row."""
    check_string(sum(map(len, parts)), parts)


def check_list(length: int) -> None:
    """Raises OutOfMemory for a list that would have `length` elements, if that is too many, MemoryExceeded if
    the evaluation has no room for it."""
    if length > MAX_LIST:
        raise OutOfMemory(f"cannot create list of size {length}, which is over {MAX_LIST}")
    if 8 * length > LARGE:
        need(8 * length)


def check_set(size: int) -> None:
    """Raises MemoryExceeded for a set of so many attributes, if the evaluation has no room for it."""
    if 100 * size > LARGE:
        need(100 * size)


def need(size: int) -> None:
    """Raises MemoryExceeded if the evaluation has no room for so many bytes; does nothing outside of one."""
    try:
        fiber = current_fiber()
    except InternalError:
        return
    fiber.run.account.need(size)


def too_deep() -> StackOverflow:
    return StackOverflow("stack overflow (possible infinite recursion)")


def checkpoint() -> None:
    """Gives the event loop its turn; does nothing outside an evaluation."""
    try:
        fiber = current_fiber()
    except InternalError:
        return
    fiber.checkpoint()


_EVERY_SIXTEENTH = cycle([*[False] * 15, True])


def look_around() -> None:
    """`checkpoint`, which takes 0.4 us, now and then: for work that may be as short as that."""
    if next(_EVERY_SIXTEENTH):
        checkpoint()


#: Pieces of a long text between two looks at the clock.
_STRETCH = 1024


class LongText:
    """A text that is written piece by piece: bounded in size, and the event loop has its turns."""

    __slots__ = ("_finished", "_pieces", "_size")

    def __init__(self) -> None:
        self._finished: list[str] = []
        self._pieces: list[str] = []
        self._size = 0

    def add(self, piece: str) -> None:
        """Appends; raises OutOfMemory when the text becomes longer than a string may be."""
        self._pieces.append(piece)
        self._size += len(piece)
        if len(self._pieces) == _STRETCH or self._size > MAX_STRING:
            check_string(self._size, self._pieces)
            # What repeats itself comes in few distinct pieces, but many of them.
            self._finished.append("".join(self._pieces))
            self._pieces.clear()
            checkpoint()

    def whole(self) -> str:
        """All that was added, in a row."""
        check_string(self._size, self._pieces)
        return "".join([*self._finished, *self._pieces])
