"""What a program can see of its evaluations: log records, and spans if it uses OpenTelemetry.

Records go to the logger `aionix`: each evaluation and each file that is loaded at DEBUG, an evaluation that
ran out of its budget at INFO. Nothing is shown until the program configures logging.

Spans are made once the program has imported `opentelemetry.trace` itself (the extra `otel` has the
API), and cost next to nothing before:

    aionix.evaluate    one evaluation: aionix.what, .steps, .io_calls, .bytes_read, .error_code
    aionix.import      a file that is read, compiled and evaluated: aionix.path
    aionix.io.read     a question to the backend, and so for its other methods: aionix.path
    aionix.builtin     a function of the program that Nix code calls: aionix.builtin

Both follow the caller's context variables, wherever the work is done.
"""

from __future__ import annotations

import logging
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from types import ModuleType

log = logging.getLogger("aionix")
log.addHandler(logging.NullHandler())


class Span(Protocol):
    """What is set on a span."""

    def set_attribute(self, key: str, value: str | float) -> None: ...


class _Nothing:
    """A span that nobody looks at."""

    def set_attribute(self, key: str, value: str | float) -> None:
        pass


_NOTHING = nullcontext(cast(Span, _Nothing()))


def span(name: str, attribute: str, value: str, *, errors: bool = True) -> AbstractContextManager[Span]:
    """A span around what is done meanwhile, whose child is whatever begins then. Without `errors` an
    exception is no error of it: files are looked for that may be missing."""
    trace = _trace()
    if trace is None:
        return _NOTHING
    started = trace.get_tracer("aionix").start_as_current_span(
        f"aionix.{name}",
        attributes={f"aionix.{attribute}": value},
        record_exception=errors,
        set_status_on_exception=errors,
    )
    return cast("AbstractContextManager[Span]", started)


def point(name: str, attribute: str, value: str) -> None:
    """A span without an extent: what is opened here may be closed in another task."""
    trace = _trace()
    if trace is not None:
        tracer = trace.get_tracer("aionix")
        tracer.start_span(f"aionix.{name}", attributes={f"aionix.{attribute}": value}).end()


def _trace() -> ModuleType | None:
    return sys.modules.get("opentelemetry.trace")
