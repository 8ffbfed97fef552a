"""A pass of the event loop that this runs on, whichever it is.

anyio has the same, but loads all of its backend for it: 20 ms, a tenth of what a small package takes to
evaluate.
"""

from __future__ import annotations

from anyio.lowlevel import checkpoint

__all__ = ["current_async_library", "one_pass"]

try:
    from sniffio import current_async_library
except ImportError:  # it comes with trio

    def current_async_library() -> str:
        return "asyncio"


async def one_pass() -> None:
    """Lets every other task that is ready go on for once; where a cancellation arrives, too."""
    if current_async_library() == "asyncio":
        from asyncio import sleep  # has been imported: it is what runs this

        await sleep(0)
    else:
        await checkpoint()
