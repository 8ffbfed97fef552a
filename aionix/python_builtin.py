"""`@aionix.builtin`: functions of the embedding program, called from Nix.

Unlike the evaluator's own builtins these see Python data only: arguments come evaluated all
through and converted, results are converted back. An `async def` may await whatever the event
loop can do; the evaluation waits for it, other evaluations go on.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import get_origin, get_type_hints, overload

from aionix.builtins.registry import Prepare, Spec
from aionix.errors import BuiltinFailed, InternalError, NixError
from aionix.source import SourceMap
from aionix.telemetry import span
from aionix.values.convert import from_python, to_python
from aionix.values.deep import force_deep
from aionix.values.kinds import type_error
from aionix.values.thunk import Value, current_fiber
from aionix.vm.run import current_run

_Function = Callable[..., object]

#: Annotation -> what Nix's messages call it. Others, or none, accept any value.
_EXPECTED: dict[object, str] = {
    int: "an integer", str: "a string", bool: "a Boolean", list: "a list", dict: "a set", float: "a float",
}  # fmt: skip


@overload
def builtin(function: _Function, /) -> PythonBuiltin: ...
@overload
def builtin(*, name: str) -> Callable[[_Function], PythonBuiltin]: ...


def builtin(
    function: _Function | None = None, /, *, name: str | None = None
) -> PythonBuiltin | Callable[[_Function], PythonBuiltin]:
    """Makes a Nix function of a Python function of one to three parameters, plain or async.

    What comes back can still be called from Python as the function it was made of.

    Annotations `int`, `float`, `str`, `bool`, `list`, `dict` are checked before the call; of
    `list[int]` it is the list that is checked, not what is in it. Give the result to
    `EvaluationBuilder.builtins`, or to `evaluate` as a variable. What the function raises becomes
    a `BuiltinFailed` error with the exception as its cause, but a NixError of its own making is
    passed on: `raise Throw("...")` is what `tryEval` catches.

        @aionix.builtin
        async def fetch(url: str) -> str: ...
    """
    if function is None:
        return lambda given: _spec(given, name or given.__name__)
    return _spec(function, name or function.__name__)


@dataclass(slots=True, eq=False)
class PythonBuiltin(Spec):
    """A builtin of the embedding program; `original` is the function it was made of."""

    original: _Function

    def __call__(self, *arguments: object) -> object:
        """Calls the Python function as Python does: nothing is checked or converted."""
        return self.original(*arguments)


def _spec(function: _Function, name: str) -> PythonBuiltin:
    parameters = list(inspect.signature(function).parameters)
    if not 1 <= len(parameters) <= 3:
        raise TypeError(f"a builtin takes one to three arguments, {name} takes {len(parameters)}")
    hints = get_type_hints(function)
    kinds = [hints.get(parameter) for parameter in parameters]
    prepare = tuple([_converter(get_origin(kind) or kind) for kind in kinds])
    guard = _guarded_async if inspect.iscoroutinefunction(function) else _guarded
    doc = inspect.getdoc(function) or ""
    return PythonBuiltin(name, len(parameters), guard(function, name), prepare, False, doc, function)


def _converter(kind: object) -> Prepare:
    expected = _EXPECTED.get(kind)

    def convert(value: Value) -> object:
        value = force_deep(value)
        result = to_python(value)
        if kind is float and type(result) is int:
            return float(result)
        if expected is not None and type(result) is not kind:
            raise type_error(expected, value)
        return result

    return convert


def _guarded(function: _Function, name: str) -> _Function:
    def call(*arguments: object) -> Value:
        try:
            with span("builtin", "builtin", name):
                return from_python(function(*arguments))
        except Exception as error:
            if _passes(error, current_fiber().run.sources):
                raise
            raise _failure(name, error) from error

    return call


def _guarded_async(function: Callable[..., object], name: str) -> Callable[..., Awaitable[Value]]:
    async def call(*arguments: object) -> Value:
        try:
            with span("builtin", "builtin", name):
                result = function(*arguments)
                return from_python(await result if inspect.isawaitable(result) else result)
        except Exception as error:
            run = current_run()
            if _passes(error, None if run is None else run.sources):
                raise
            raise _failure(name, error) from error

    return call


def _passes(error: Exception, sources: SourceMap | None) -> bool:
    # An error that comes out of another evaluation has places in texts that this one does not know.
    if isinstance(error, NixError):
        return error.sources is None or error.sources is sources
    return isinstance(error, InternalError)


def _failure(name: str, error: Exception) -> BuiltinFailed:
    return BuiltinFailed(f"the builtin '{name}' failed: {type(error).__name__}: {error}")
