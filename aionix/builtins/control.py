"""Errors, messages, and when things are evaluated."""

from __future__ import annotations

from aionix.builtins.registry import Coerced, Lazy, builtin
from aionix.errors import Abort, CatchableError, NixError
from aionix.errors import Throw as ThrowError
from aionix.values.attrs import AttrSet
from aionix.values.coercion import coerce_to_string
from aionix.values.deep import force_deep
from aionix.values.printing import traced
from aionix.values.strings import plain
from aionix.values.thunk import Value, current_fiber, force
from aionix.vm.host import Host

_WARNING = "evaluation warning: "
_BLANKS = " \n\r\t"


@builtin("throw")
def throw(message: Coerced) -> Value:
    """Fails with the message. `tryEval` can catch it."""
    raise ThrowError(plain(message))


@builtin("abort")
def abort(message: Coerced) -> Value:
    """Ends the evaluation with the message; nothing can catch it."""
    raise Abort(f"evaluation aborted with the following error message: '{message}'")


@builtin("tryEval")
def try_eval(value: Lazy) -> Value:
    """`{ success = true; value = ...; }` with the evaluated value, or both `false` if that failed
    by `throw`, by an assertion, or by a `<name>` that the search path does not have. Other
    errors go on; what is inside the value is not evaluated."""
    fiber = current_fiber()
    mark = fiber.mark()
    try:
        return AttrSet(success=True, value=force(value))
    except CatchableError:
        fiber.unwind(mark)
        return AttrSet(success=False, value=False)


@builtin("addErrorContext")
def add_error_context(context: Lazy, value: Lazy) -> Value:
    """The value; if its evaluation fails, the message `context` becomes part of the trace."""
    if type(value) is not list:
        return value
    fiber = current_fiber()
    mark = fiber.mark()
    try:
        return value[1] if value[0] is None else value[0](value)
    except NixError as error:
        fiber.unwind(mark)
        error.add_frame(plain(coerce_to_string(context, copy=False)))
        raise


@builtin("seq")
def seq(first: Value, second: Lazy) -> Value:
    """The second value, after the first one has been evaluated."""
    return force(second)


@builtin("deepSeq")
def deep_seq(first: Lazy, second: Lazy) -> Value:
    """The second value, after the first one and all that is inside it have been evaluated."""
    force_deep(first)
    return force(second)


@builtin("trace")
def trace(host: Host, message: Value, value: Lazy) -> Value:
    """The second value, after the first one has been printed: a string as it is, anything else
    as far as it is evaluated."""
    host.trace(f"trace: {message if isinstance(message, str) else traced(message)}")
    return force(value)


@builtin("traceVerbose")
def trace_verbose(host: Host, message: Lazy, value: Lazy) -> Value:
    """As `trace` where verbose traces are wanted; otherwise just the second value."""
    return trace(host, force(message), value) if host.trace_verbose else force(value)


@builtin("warn")
def warn(host: Host, message: str, value: Lazy) -> Value:
    """The second value, after the first one, a string, has been printed as a warning."""
    host.trace(_warning(message))
    if host.abort_on_warn:
        raise Abort("aborting to reveal stack trace of warning, as abort-on-warn is set")
    return force(value)


def _warning(message: str) -> str:
    # As C++ Nix lays it out: continuation lines aligned, no blanks at the ends of lines, and an
    # empty message is an empty line.
    text = message.rstrip(_BLANKS)
    lines = f"{_WARNING}{text}".replace("\n", "\n" + " " * len(_WARNING)).split("\n")
    return "\n".join([line.rstrip(_BLANKS) for line in lines]) if text else ""


@builtin("break")
def break_(value: Value) -> Value:
    """The value. A debugger would stop here; there is none."""
    return value
