"""Exit codes, streams and colour: everything about the process around a command."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import NoReturn, TextIO, TypeVar

from aionix.cli.options import UsageError
from aionix.errors import FileError, NixError
from aionix.rendering import render, render_internal, render_warning
from aionix.source import SourceMap, Span
from aionix.vm.collector import spare_the_first
from aionix.warnings import EvalWarning

T = TypeVar("T")

SUCCESS, FAILURE, USAGE, INTERRUPTED = 0, 1, 2, 130


class Failed(Exception):
    """The command has already said on standard error why it failed."""


def run_program(name: str, main: Callable[[], None]) -> int:
    """The exit status of `main()`; whatever it raises is told on standard error."""
    # A reader that has seen enough (`| head`) ends us quietly, like other programs.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    spare_the_first()
    try:
        os.getcwd()
    except OSError as error:
        say(f"error: getting the current directory: {error.strerror}")
        return FAILURE
    try:
        main()
    except Failed:
        return FAILURE
    except UsageError as error:
        say(f"error: {error}\nTry '{name} --help' for more information.")
        return USAGE
    except KeyboardInterrupt:
        say("error: interrupted by the user")
        return INTERRUPTED
    except OSError as error:  # files have errors of their own: this is one of the streams
        say(f"error: {error.strerror}")
        return FAILURE
    except Exception as error:
        return _internal(error)
    finally:
        # A thread may still be writing the code cache, which can be cut short anywhere.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return SUCCESS


def leave(status: int) -> NoReturn:
    """Ends the process, once what was compiled is kept. Nothing is taken apart: after the evaluation of a
    NixOS system that takes Python five seconds, a third of the whole."""
    try:
        for thread in threading.enumerate():
            if thread is not threading.main_thread() and not thread.daemon:
                thread.join()
    except KeyboardInterrupt:
        status = INTERRUPTED
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, AttributeError):
            stream.flush()
    os._exit(status)


def _internal(error: Exception) -> int:
    say(render_internal(error, color=wants_color(sys.stderr)))
    if os.environ.get("AIONIX_DEBUG"):
        raise error
    return FAILURE


def fail(error: NixError, *, show_trace: bool) -> NoReturn:
    """Tells `error` to the user and ends the command."""
    tell_error(error, show_trace=show_trace)
    raise Failed


def tell_error(error: NixError, *, show_trace: bool) -> None:
    say(render(error, color=wants_color(sys.stderr), show_trace=show_trace))


def tell_warning(message: str, span: Span, *, sources: SourceMap, code: str | None = None) -> None:
    say(render_warning(message, span, code=code, sources=sources, color=wants_color(sys.stderr)))


def tell_warnings(warnings: Iterable[EvalWarning], sources: SourceMap) -> None:
    for warning in warnings:
        tell_warning(warning.message, warning.span, code=warning.code, sources=sources)


def in_event_loop(function: Callable[[], Coroutine[object, object, T]]) -> T:
    """The result of the coroutine that `function` makes."""
    import asyncio

    return asyncio.run(function())


def say(text: str) -> None:
    """Writes a line to standard error, bytes as they are."""
    if sys.stderr is None:  # the program was started without one
        return
    with suppress(OSError):
        _put(sys.stderr, text + "\n")


def write(text: str) -> None:
    """Writes `text` to standard output, bytes as they are."""
    try:
        if sys.stdout is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        _put(sys.stdout, text)
    except OSError as error:
        say(f"error: writing to standard output: {error.strerror}")
        raise Failed from None


def _put(stream: TextIO, text: str) -> None:
    try:
        stream.buffer.write(text.encode("utf-8", "surrogateescape"))
        stream.buffer.flush()
    except OSError:
        # What is still in the buffer would be tried, and complained about, once more at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise


def read_standard_input() -> bytes:
    """All of it; raises FileError."""
    if sys.stdin is None:
        raise FileError("standard input is closed", "«stdin»")
    # An event loop's own handler waits for its next turn, which does not come before the input ends.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        raise FileError(f"reading standard input: {error.strerror}", "«stdin»") from None
    finally:
        signal.signal(signal.SIGINT, handler)


def wants_color(stream: TextIO | None) -> bool:
    """On a terminal, unless NO_COLOR says no; elsewhere if FORCE_COLOR says so."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
