"""`@builtin`: a Python function becomes a Nix function, its signature the contract.

    @builtin("elemAt")
    def elem_at(xs: List, n: int) -> Value: ...

The annotations say what each argument must be; the wrapper made here forces, checks and words
the error, once, so bodies start with ready values:

    Lazy            left alone, may be a thunk          Value      forced, any kind
    int  bool  str  of that kind (a `str` may carry a context)
    List            a tuple                             PlainStr   a string without context
    AttrSet         an attribute set                    Coerced    weakly coerced to a string
    Function        anything `call` accepts             FilePath   coerced to an absolute path's text
    Host            (first, impure builtins) the evaluation's outside world

A plain `def` runs inside the fiber: it may `force` and `call` directly. An `async def` does
IO itself; its arguments are prepared in the fiber as above, then the coroutine is driven by
the frame loop. Nothing may re-enter the evaluator from C (no `sorted(key=...)`, no generator
expression that forces): such calls are bounded by the C stack.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Annotated, TypeAlias, cast, get_args, get_origin

from aionix.errors import InternalError, NixError
from aionix.values.attrs import AttrSet
from aionix.values.coercion import coerce_to_path, coerce_to_string
from aionix.values.functions import Builtin, calling
from aionix.values.kinds import is_function, type_error
from aionix.values.strings import refuse_context
from aionix.values.thunk import Value, current_fiber, force
from aionix.vm.host import Host

Lazy: TypeAlias = Annotated[object, "lazy"]
List: TypeAlias = tuple[Value, ...]
PlainStr: TypeAlias = Annotated[str, "plain"]
Coerced: TypeAlias = Annotated[str, "coerced"]
FilePath: TypeAlias = Annotated[str, "path"]
Function: TypeAlias = Annotated[object, "function"]

Prepare: TypeAlias = Callable[[Value], object]


@dataclass(slots=True, eq=False)
class Spec:
    """A registered builtin, before it is bound to the world of one evaluation."""

    name: str
    arity: int
    function: Callable[..., object]
    prepare: tuple[Prepare | None, ...]
    impure: bool
    doc: str

    def bind(self, host: Host) -> Builtin:
        """The Nix function; impure ones act on `host`."""
        body = _with_host(self.function, host, self.arity) if self.impure else self.function
        if inspect.iscoroutinefunction(self.function):
            body = _suspending(cast(Callable[..., Awaitable[Value]], body), self.arity)
        run = _checked(self.name, body, self.prepare)
        if REGISTRY.get(self.name) is not self:
            return Builtin(self.name, self.arity, run, self.doc)
        return Builtin(self.name, self.arity, run, self.doc, True, OF_MAP.get(self.name))


REGISTRY: dict[str, Spec] = {}
#: What builtins do with `map function list`, see `builtins.mapped`.
OF_MAP: dict[str, Callable[..., Value]] = {}


def builtin(name: str) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Registers a function as `builtins.<name>`; its docstring is the documentation."""

    def register(function: Callable[..., object]) -> Callable[..., object]:
        REGISTRY[name] = make_spec(name, function)
        return function

    return register


def make_spec(name: str, function: Callable[..., object]) -> Spec:
    """Reads the contract of `function` from its annotations."""
    kinds = _parameter_kinds(cast(FunctionType, function))
    impure = kinds[0] is Host
    prepare = tuple([_prepare_for(kind) for kind in kinds[impure:]])
    return Spec(name, len(prepare), function, prepare, impure, inspect.getdoc(function) or "")


def _parameter_kinds(function: FunctionType) -> list[object]:
    # As `typing.get_type_hints` would, which takes a tenth of the time of `import aionix`.
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    return [eval(function.__annotations__[name], function.__globals__) for name in names]


def _prepare_for(kind: object) -> Prepare | None:
    if get_origin(kind) is Annotated:
        return _BY_MARK[get_args(kind)[1]]
    try:
        return _BY_TYPE[kind]
    except KeyError:
        raise InternalError(f"a builtin cannot take {kind}") from None


# Forcing is written out in these: they run at every call of a builtin.


def expect_int(value: Value) -> int:
    if type(value) is list:
        value = value[1] if value[0] is None else value[0](value)
    if type(value) is not int:
        raise type_error("an integer", value)
    return value


def expect_bool(value: Value) -> bool:
    if type(value) is list:
        value = value[1] if value[0] is None else value[0](value)
    if type(value) is not bool:
        raise type_error("a Boolean", value)
    return value


def expect_str(value: Value) -> str:
    if type(value) is list:
        value = value[1] if value[0] is None else value[0](value)
    if not isinstance(value, str):
        raise type_error("a string", value)
    return value


def expect_plain_str(value: Value) -> str:
    if type(value) is str:
        return value
    text = expect_str(value)
    refuse_context(text)
    return text


def expect_list(value: Value) -> tuple[Value, ...]:
    if type(value) is list:
        value = value[1] if value[0] is None else value[0](value)
    if type(value) is not tuple:
        raise type_error("a list", value)
    return value


def expect_attrs(value: Value) -> AttrSet:
    if type(value) is list:
        value = value[1] if value[0] is None else value[0](value)
    if type(value) is not AttrSet:
        raise type_error("a set", value)
    return value


def expect_function(value: Value) -> Value:
    if type(value) is list:
        value = value[1] if value[0] is None else value[0](value)
    if type(value) is MethodType:
        return value
    if is_function(value) or (type(value) is AttrSet and "__functor" in value):
        return value
    raise type_error("a function", value)


def _coerced(value: Value) -> str:
    return coerce_to_string(value)


_BY_TYPE: dict[object, Prepare] = {
    object: force,
    int: expect_int,
    bool: expect_bool,
    str: expect_str,
    List: expect_list,
    AttrSet: expect_attrs,
}
#: Values of this type need no preparation.
_READY: dict[Prepare | None, type] = {
    expect_int: int,
    expect_bool: bool,
    expect_str: str,
    expect_plain_str: str,
    expect_list: tuple,
    expect_attrs: AttrSet,
    expect_function: MethodType,
    _coerced: str,
}
_BY_MARK: dict[str, Prepare | None] = {
    "lazy": None,
    "plain": expect_plain_str,
    "coerced": _coerced,
    "path": coerce_to_path,
    "function": expect_function,
}


def _with_host(function: Callable[..., object], host: Host, arity: int) -> Callable[..., object]:
    if arity == 1:
        return lambda a: function(host, a)
    if arity == 2:
        return lambda a, b: function(host, a, b)
    return lambda a, b, c: function(host, a, b, c)


def _suspending(function: Callable[..., Awaitable[Value]], arity: int) -> Callable[..., object]:
    if arity == 1:
        return lambda a: current_fiber().suspend(function(a))
    if arity == 2:
        return lambda a, b: current_fiber().suspend(function(a, b))
    return lambda a, b, c: current_fiber().suspend(function(a, b, c))


def _checked(
    name: str, function: Callable[..., Value], prepare: tuple[Prepare | None, ...]
) -> Callable[..., Value]:
    # By arity, without `*arguments`: those calls would take a C frame each. Most arguments are evaluated
    # already, and of the type that is wanted: then nothing is called but the builtin, 60 ns less for each.
    frame = calling(name)
    first, second, third = (*prepare, None, None)[:3]
    ready, ready2, ready3 = [_READY.get(each) for each in (first, second, third)]
    if first is None and len(prepare) == 1:

        def run_lazy(a: Value) -> Value:
            try:
                return function(a)
            except NixError as error:
                error.add_frame(frame)
                raise

        return run_lazy
    if first is force and len(prepare) == 1:

        def run_any(a: Value) -> Value:
            try:
                if type(a) is list:
                    a = a[1] if a[0] is None else a[0](a)
                return function(a)
            except NixError as error:
                error.add_frame(frame)
                raise

        return run_any
    # An argument that is a thunk is forced here, not by what prepares it: a call less.
    if first is not None and len(prepare) == 1:

        def run1(a: Value) -> Value:
            try:
                if type(a) is list:
                    a = a[1] if a[0] is None else a[0](a)
                return function(a if type(a) is ready else first(a))
            except NixError as error:
                error.add_frame(frame)
                raise

        return run1
    if len(prepare) == 2:

        def run2(a: Value, b: Value) -> Value:
            try:
                if first is not None and type(a) is not ready:
                    if type(a) is list:
                        a = a[1] if a[0] is None else a[0](a)
                    if first is not force and type(a) is not ready:
                        a = first(a)
                if second is not None and type(b) is not ready2:
                    if type(b) is list:
                        b = b[1] if b[0] is None else b[0](b)
                    if second is not force and type(b) is not ready2:
                        b = second(b)
                return function(a, b)
            except NixError as error:
                error.add_frame(frame)
                raise

        return run2

    def run3(a: Value, b: Value, c: Value) -> Value:
        try:
            if first is not None and type(a) is not ready:
                a = first(a)
            if second is not None and type(b) is not ready2:
                b = second(b)
            return function(a, b, c if third is None or type(c) is ready3 else third(c))
        except NixError as error:
            error.add_frame(frame)
            raise

    return run3
