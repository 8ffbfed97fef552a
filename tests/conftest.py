"""Async tests run on both event loops; a call that blocks one of them is an error."""

from __future__ import annotations

import gc
import os
import signal
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
from blockbuster import blockbuster_ctx

_NO_TRIO = pytest.mark.skipif(find_spec("trio") is None, reason="trio is not installed")


def pytest_configure(config: pytest.Config) -> None:
    """The programs keep code in a directory of this run, not in that of the user; and they know of Ctrl-C, even
    if this run was begun in the background, where a shell has it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    directory = tempfile.TemporaryDirectory(prefix="aionix-code-", ignore_cleanup_errors=True)
    config.add_cleanup(directory.cleanup)
    os.environ["AIONIX_CODE_CACHE"] = directory.name


@pytest.fixture(scope="module", params=["asyncio", pytest.param("trio", marks=_NO_TRIO)])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """The event loop of a test marked `anyio`."""
    return str(request.param)


@pytest.fixture(autouse=True, scope="module")
def _nothing_is_left_for_the_next() -> Iterator[None]:
    # After a test of a million nested levels CPython waits for as many new objects before it collects them, and
    # each test that looks for what is left over, thousands of times, would go through all of them.
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def _nothing_blocks() -> Iterator[None]:
    # It watches asyncio's loop only; what our packages do is the same on both.
    with blockbuster_ctx(["aionix", "io_backends"]) as watch:
        watch.functions["os.getcwd"].deactivate()  # the kernel answers from memory
        for function in watch.functions.values():  # what was asked to block may
            function.can_block_in("io_backends/local.py", "_at_once")
            function.can_block_in("aionix/code_cache.py", "_find")
            function.can_block_in("aionix/syntax/tables.py", "load")  # once, as an import does
        yield
