"""Values as text for others: `toJSON` and `--json`, `toXML` and `--xml`.

Both results carry the contexts of all strings, and of all paths copied to the store, in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from json.encoder import encode_basestring
from types import MethodType
from typing import cast

from aionix.builtins.registry import Lazy, builtin
from aionix.builtins.xml import to_xml as to_xml
from aionix.bytecode.chunk import Lambda
from aionix.errors import ConversionError, NixError
from aionix.values.attrs import AttrSet, sorted_names
from aionix.values.coercion import coerce_to_string, parts_of_text
from aionix.values.functions import Builtin, PartialApplication, call
from aionix.values.kinds import kind_of
from aionix.values.limits import LongText, too_deep
from aionix.values.numbers import json_float
from aionix.values.paths import Path
from aionix.values.strings import context_of, to_bytes, with_context
from aionix.values.thunk import Value, current_fiber, evaluated, force
from aionix.values.walk import begin, end

#: Values may be nested so deeply in JSON text. C++ Nix 2.26.3 writes 80,000 levels, not 100,000.
MAX_JSON_NESTING = 90_000
#: Characters of a string that is written at once; six for each of them are not too many.
SHORT = 1000


@builtin("toJSON")
def to_json_builtin(value: Lazy) -> Value:
    """The JSON text that means `value`, which is evaluated deeply.

    Paths are copied to the store; a set with `__toString` or `outPath` becomes what that gives.
    """
    return to_json(value)


@builtin("toXML")
def to_xml_builtin(value: Lazy) -> Value:
    """An XML document that describes `value`, which is evaluated deeply."""
    return to_xml(value, location=False, strict=True)


def to_json(value: Value, *, strict: bool = True) -> str:
    """`value` as compact JSON. Unless `strict`, a thunk in it is an error and not forced.

    Raises ConversionError for functions and for strings that are not UTF-8.
    """
    if type(value) is list and value[0] is None:
        value = value[1]
    if type(value) is str and len(value) < SHORT:
        return json_string(value)
    writer = _JsonWriter(strict)
    walks = begin(writer.levels if strict else [], parts_of_json, True)
    try:
        writer.write(value, 0)
    finally:
        end(walks)
    return with_context(writer.text.whole(), frozenset(writer.context))


def parts_of_json(value: tuple[Value, ...] | AttrSet) -> Iterable[Value]:
    """What is sure to be forced when `value` is written as JSON."""
    if isinstance(value, tuple) or "__toString" in value or "outPath" in value:
        return parts_of_text(value)
    return value.values()


class _JsonWriter:
    """Collects the text, and the contexts of what was written."""

    def __init__(self, strict: bool) -> None:
        self.strict = strict
        self.text = LongText()
        self.context: set[str] = set()
        #: What is still to be forced of the lists and sets that are being written.
        self.levels: list[Iterator[Value]] = []

    def write(self, value: Value, depth: int) -> None:
        value = force(value) if self.strict else evaluated(value)
        kind = type(value)
        if isinstance(value, str):
            self.write_string(value)
        elif kind is bool:
            self.text.add("true" if value else "false")
        elif kind is int:
            self.text.add(str(value))
        elif value is None:
            self.text.add("null")
        elif isinstance(value, float):
            self.text.add(json_float(value))
        elif isinstance(value, AttrSet):
            self.write_attrs(value, self.deeper(depth))
        elif isinstance(value, tuple):
            self.write_list(value, self.deeper(depth))
        elif isinstance(value, Path):
            self.write_string(current_fiber().copy_to_store(value.text))
        else:
            raise _no_json(value)

    def deeper(self, depth: int) -> int:
        if depth >= MAX_JSON_NESTING:
            raise too_deep()
        return depth + 1

    def write_string(self, text: str) -> None:
        self.context |= context_of(text)
        self.text.add(json_string(text))

    def write_list(self, items: tuple[Value, ...], depth: int) -> None:
        separator = "["
        self.levels.append(iter(items))
        for index, item in enumerate(items):
            self.text.add(separator)
            separator = ","
            try:
                self.write(item, depth)
            except NixError as error:
                error.add_frame(f"while evaluating list element at index {index}")
                raise
        self.levels.pop()
        self.text.add("]" if items else "[]")

    def write_attrs(self, attrs: AttrSet, depth: int) -> None:
        if "__toString" in attrs:
            self.write_string(coerce_to_string(call(attrs["__toString"], attrs), copy=False))
        elif "outPath" in attrs:
            self.write(attrs["outPath"], depth)
        else:
            self.write_object(attrs, depth)

    def write_object(self, attrs: AttrSet, depth: int) -> None:
        separator = "{"
        self.levels.append(iter(attrs.values()))
        for name in sorted_names(attrs):
            self.text.add(f"{separator}{json_string(name)}:")
            separator = ","
            try:
                self.write(attrs[name], depth)
            except NixError as error:
                error.add_frame(f"while evaluating attribute '{name}'", attrs.position_of(name))
                raise
        self.levels.pop()
        self.text.add("}" if attrs else "{}")


def json_string(text: str) -> str:
    """`text` in JSON's quotes; only quotes, backslashes and control characters are escaped."""
    if not text.isascii():
        _check_utf8(to_bytes(text))
    return encode_basestring(text)


def _check_utf8(data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            what = f"incomplete UTF-8 string; last byte: 0x{data[-1]:02X}"
        else:
            at = error.start if error.reason == "invalid start byte" else error.end
            what = f"invalid UTF-8 byte at index {at}: 0x{data[at]:02X}"
        raise ConversionError(f"JSON serialization error: [json.exception.type_error.316] {what}") from None


def _no_json(value: Value) -> ConversionError:
    span = None
    if isinstance(value, MethodType):
        span = cast(Lambda, value.__func__.code).span  # type: ignore[attr-defined]  # a closure
    return ConversionError(f"cannot convert {_described(value)} to JSON", span=span)


def _described(value: Value) -> str:
    if type(value) is list:
        return "a thunk"
    if isinstance(value, Builtin):
        return f"the built-in function '{value.name}'"
    if isinstance(value, PartialApplication):
        return f"the partially applied built-in function '{value.builtin.name}'"
    return kind_of(value)
