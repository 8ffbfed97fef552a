"""What keeps a walk through values from going on for ever, or from keeping the event loop."""

from __future__ import annotations

from aionix.errors import InternalError, StackOverflow
from aionix.values.thunk import current_fiber

#: Levels of lists and sets in each other that may be compared, coerced or forced. C++ Nix ends
#: below 100,000 for want of stack; here a level costs some 500 bytes, so endless data is an error
#: at about 100 MB.
MAX_NESTING = 200_000


def too_deep() -> StackOverflow:
    return StackOverflow("stack overflow (possible infinite recursion)")


def checkpoint() -> None:
    """Gives the event loop its turn; does nothing outside an evaluation."""
    try:
        fiber = current_fiber()
    except InternalError:
        return
    fiber.checkpoint()
