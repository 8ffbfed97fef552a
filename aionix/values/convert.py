"""Between Nix and Python.

| Nix    | Python                 | and back, also from            |
|--------|------------------------|--------------------------------|
| set    | dict, names sorted     | any Mapping, dataclass objects |
| list   | list                   | any Sequence                   |
| string | str (or bytes)         | bytes                          |
| path   | PurePosixPath          | any absolute PurePath          |
| int, float, bool, null        | the same                       |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import PurePath, PurePosixPath
from types import MethodType
from typing import Literal, TypeAlias

from aionix.bytecode.chunk import Lambda
from aionix.errors import ConversionError
from aionix.values.attrs import AttrSet, sorted_names
from aionix.values.functions import Builtin, PartialApplication
from aionix.values.kinds import is_function, kind_of
from aionix.values.numbers import fits
from aionix.values.paths import Path, clean
from aionix.values.printing import show_name
from aionix.values.strings import ContextString, from_bytes, normal, plain, to_bytes
from aionix.values.thunk import Value, evaluated


class Handle:
    """What holds a Nix value for Python code; wherever data is given, it stands for its value."""

    __slots__ = ("raw",)

    def __init__(self, raw: Value) -> None:
        self.raw = raw


# A place inside a value: where its container is, and the name or index in it.
_Place: TypeAlias = tuple["_Place", str | int] | None
_Filled: TypeAlias = dict[str, object] | list[object]


def _describe(place: _Place) -> str:
    """` at .a.b[3]`, or nothing for the whole."""
    steps: list[str] = []
    while place is not None:
        place, step = place
        steps.append(f"[{step}]" if isinstance(step, int) else f".{show_name(step)}")
    return f" at {''.join(reversed(steps))}" if steps else ""


def to_python(
    value: Value,
    *,
    functions: Literal["refuse", "keep"] = "refuse",
    strings: Literal["surrogateescape", "bytes"] = "surrogateescape",
    derivations: Literal["set", "outPath"] = "set",
) -> object:
    """The Python object for a deeply evaluated `value`.

    What is shared, or contains itself, in Nix does so in Python. Strings lose their context; one
    that is not UTF-8 becomes a `str` with surrogates, or `bytes`. Functions are refused, or kept
    as opaque objects. A derivation is a set like others, or its `outPath`.

    Raises `ConversionError`, which says where.
    """
    return _ToPython(functions == "keep", strings == "bytes", derivations == "outPath").convert(value)


class _ToPython:
    """One conversion: which containers exist already, and which are still to be filled."""

    def __init__(self, keep_functions: bool, as_bytes: bool, as_paths: bool) -> None:
        self._keep_functions = keep_functions
        self._as_bytes = as_bytes
        self._as_paths = as_paths
        self._made: dict[int, _Filled] = {}
        self._pending: list[tuple[AttrSet | tuple[Value, ...], _Filled, _Place]] = []

    def convert(self, value: Value) -> object:
        result = self._one(value, None)
        while self._pending:
            source, target, place = self._pending.pop()
            if isinstance(source, AttrSet) and isinstance(target, dict):
                for name in sorted_names(source):
                    target[name] = self._one(source[name], (place, name))
            elif isinstance(target, list):
                for index, item in enumerate(source):
                    target.append(self._one(item, (place, index)))
        return result

    def _one(self, value: Value, place: _Place) -> object:
        value = evaluated(value)
        if isinstance(value, str):
            return self._string(value)
        if value is None or type(value) in (bool, int, float):
            return value
        if isinstance(value, Path):
            return PurePosixPath(value.text)
        if isinstance(value, AttrSet) and self._as_paths and _is_derivation(value):
            return self._one(value["outPath"], (place, "outPath"))
        if isinstance(value, (AttrSet, tuple)):
            return self._container(value, place)
        if type(value) is list:
            raise ConversionError(f"cannot convert a value that is not evaluated{_describe(place)}")
        if self._keep_functions and is_function(value):
            return value
        raise ConversionError(f"cannot convert {kind_of(value)} to Python{_describe(place)}")

    def _container(self, value: AttrSet | tuple[Value, ...], place: _Place) -> _Filled:
        if id(value) not in self._made:
            target: _Filled = {} if isinstance(value, AttrSet) else []
            self._made[id(value)] = target
            self._pending.append((value, target, place))
        return self._made[id(value)]

    def _string(self, text: str) -> str | bytes:
        if self._as_bytes and any(["\udc80" <= c <= "\udcff" for c in text]):
            return to_bytes(text)
        return plain(text)


def _is_derivation(attrs: AttrSet) -> bool:
    kind = evaluated(attrs.get("type"))
    return isinstance(kind, str) and kind == "derivation" and "outPath" in attrs


def from_python(obj: object) -> Value:
    """The Nix value for a Python object, evaluated all through except in a `Handle`.

    Handles stand for their values. Nix's own values (sets, paths, functions, strings with
    context) come back as they are. Other callables are refused: making builtins of them is the
    registry's work.

    Raises `ConversionError`, which says where: for other types, integers of more than 64 bits, text
    or names that are no byte string of Nix's, relative paths, and containers that contain themselves.
    """
    # The bottom of the stack stands for the caller, who waits for one part.
    stack = [_Open(None, None, iter([("", obj)]), is_set=False)]
    unfinished: set[int] = set()
    # The objects are kept, too: an id is good only while its object lives.
    made: dict[int, tuple[object, Value]] = {}
    while True:
        top = stack[-1]
        part = next(top.parts, None)
        if part is None:
            stack.pop()
            value = top.finished()
            unfinished.discard(id(top.obj))
            made[id(top.obj)] = (top.obj, value)
            stack[-1].done.append(value)
        else:
            step, child = part
            place = (top.place, step) if len(stack) > 1 else None
            opened = _open(child, place)
            if isinstance(child, Handle):
                top.done.append(child.raw)
            elif opened is None:
                top.done.append(_scalar(child, place))
            elif id(child) in unfinished:
                raise ConversionError(f"cannot convert a container that contains itself{_describe(place)}")
            elif id(child) in made:
                top.done.append(made[id(child)][1])
            else:
                unfinished.add(id(child))
                stack.append(opened)
        if len(stack) == 1 and stack[0].done:
            return stack[0].done[0]


@dataclass(slots=True, eq=False)
class _Open:
    """A container whose parts are being converted: `done` has those that are."""

    obj: object
    place: _Place
    parts: Iterator[tuple[str | int, object]]
    is_set: bool
    names: list[str] = field(default_factory=list)
    done: list[Value] = field(default_factory=list)

    def finished(self) -> Value:
        return AttrSet(zip(self.names, self.done, strict=True)) if self.is_set else tuple(self.done)


def _open(obj: object, place: _Place) -> _Open | None:
    """The parts of a container; None for what is none, or is a Nix value already."""
    if _is_nix(obj):
        return None
    if isinstance(obj, Mapping):
        names = [_name(key, place) for key in obj]
        parts = zip(names, obj.values(), strict=True)
        return _Open(obj, place, parts, is_set=True, names=names)
    if is_dataclass(obj) and not isinstance(obj, type):
        names = [each.name for each in fields(obj)]
        values = [getattr(obj, name) for name in names]
        return _Open(obj, place, zip(names, values, strict=True), is_set=True, names=names)
    if isinstance(obj, Sequence) and not isinstance(obj, (str, bytes, bytearray, memoryview)):
        return _Open(obj, place, iter(enumerate(obj)), is_set=False)
    return None


def _name(key: object, place: _Place) -> str:
    if isinstance(key, str):
        return plain(_string(key, (place, key)))
    raise ConversionError(f"an attribute name cannot be a Python '{type(key).__name__}'{_describe(place)}")


def _scalar(obj: object, place: _Place) -> Value:
    if obj is None or isinstance(obj, bool) or _is_nix(obj):
        return obj
    if isinstance(obj, int):
        if fits(obj):
            return int(obj)
        raise ConversionError(f"cannot convert an integer of more than 64 bits{_describe(place)}")
    if isinstance(obj, float):
        return float(obj)
    if isinstance(obj, str):
        return _string(obj, place)
    if isinstance(obj, (bytes, bytearray)):
        return _string(from_bytes(bytes(obj)), place)
    if isinstance(obj, PurePath):
        return _path(obj, place)
    raise ConversionError(
        f"cannot convert a Python object of type '{type(obj).__name__}' to Nix{_describe(place)}",
        hint="a function becomes a builtin with @aionix.builtin" if callable(obj) else None,
    )


def _is_nix(obj: object) -> bool:
    """Sets, paths and functions that an evaluation made."""
    if isinstance(obj, MethodType):
        return isinstance(getattr(obj.__func__, "code", None), Lambda)
    return isinstance(obj, (AttrSet, Path, Builtin, PartialApplication))


def _string(text: str, place: _Place) -> str:
    if type(text) is ContextString:
        return text
    if "\0" in text:
        raise ConversionError(f"cannot convert a string with a NUL byte{_describe(place)}")
    try:
        return normal(text)
    except UnicodeEncodeError:
        raise ConversionError(f"cannot convert a string with lone surrogates{_describe(place)}") from None


def _path(path: PurePath, place: _Place) -> Path:
    text = path.as_posix()
    if not text.startswith("/"):
        raise ConversionError(f"cannot convert a path that is not absolute{_describe(place)}")
    return Path(clean(_string(text, place)))
