"""Reading TOML 1.0, with the dialect and the first error lines of what C++ Nix uses, toml11.

Each table's body is read before it is put into the document, as toml11 does: what `insert` and
`merge` refuse depends on how a table came to be (`Made`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum, auto
from math import isinf, nan
from typing import TypeAlias, cast

from aionix.errors import ConversionError
from aionix.values.attrs import AttrSet
from aionix.values.limits import checkpoint, too_deep
from aionix.values.numbers import INT_MAX, parse_int
from aionix.values.strings import normal
from aionix.values.thunk import Value

#: Arrays and inline tables in each other, and parts of a dotted key.
MAX_DEPTH = 10_000

Keys: TypeAlias = list[str]


class Made(Enum):
    """How a table or array came to be, which decides who may add to it."""

    HEADER = auto()  # [a], [[a]]: complete, but for tables inside it
    PATH = auto()  # the `a` of [a.b]: may still be given its own header
    DOTTED = auto()  # the `a` of a.b = 1
    INLINE = auto()  # {...}, [...]: immutable


class _Table(dict[str, object]):
    def __init__(self, made: Made) -> None:
        self.made = made


class _Array(list[object]):
    def __init__(self, made: Made) -> None:
        self.made = made

    @property
    def has_tables(self) -> bool:
        return bool(self) and isinstance(self[0], _Table)


class _Moment:
    """A date or a time, of which Nix has none."""


_SPACE = re.compile(r"[ \t]*")
_LINE_END = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\r?\n|\Z)")
_BLANK = re.compile(r"(?:[ \t]|#[^\n]*|\r?\n)*+")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPE = r'\\(?:["\\bfnrt]|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})'
_BASIC = re.compile(rf'"((?:[^\x00-\x08\n-\x1f\x7f"\\]|{_ESCAPE})*+)"')
_LITERAL = re.compile(r"'([^\x00-\x08\n-\x1f\x7f']*)'")
_FOLD = r"\\[ \t]*\r?\n[ \t\r\n]*"
_LONG_BASIC = re.compile(
    rf'"""(?:\r?\n)?((?:[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f"\\]|{_ESCAPE}|{_FOLD}|"{{1,2}}(?!"))*+"{{0,2}})"""'
)
_LONG_LITERAL = re.compile(r"'''(?:\r?\n)?((?:[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f']|'{1,2}(?!'))*+'{0,2})'''")
_SPECIAL = re.compile(rf"{_FOLD}|{_ESCAPE}")
_SHORT = {'"': '"', "\\": "\\", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_YEAR = re.compile(r"\d{4}-")
_TIME = re.compile(r"(\d\d):(\d\d):(\d\d)(?:\.\d+)?")
_OFFSET = re.compile(r"[Zz]|[+-](\d\d):(\d\d)")
_NUMBER = re.compile(
    r"[+-]?(?:0|[1-9](?:_?[0-9])*)(?P<real>(?:\.[0-9](?:_?[0-9])*)?(?:[eE][+-]?[0-9](?:_?[0-9])*)?)"
)
_WORDS: dict[str, Value] = {
    "true": True,
    "false": False,
    "inf": float("inf"),
    "+inf": float("inf"),
    "-inf": float("-inf"),
    "nan": nan,
    "+nan": nan,
    "-nan": -nan,
}
_BASES = {
    "x": (16, "hex", re.compile(r"[0-9a-fA-F](?:_?[0-9a-fA-F])*"), "0xC0FFEE, 0xdead_beef"),
    "o": (8, "oct", re.compile(r"[0-7](?:_?[0-7])*"), "0o775, 0o04_44"),
    "b": (2, "bin", re.compile(r"[01](?:_?[01])*"), "0b0101, 0b1111_0000"),
}


def parse_toml(text: str) -> AttrSet:
    """The set that `text` spells. Raises ConversionError."""
    value = _value(_Parser(text).document())
    assert isinstance(value, AttrSet)
    return value


def _error(what: str) -> ConversionError:
    return ConversionError(f"while parsing TOML: {what}")


def _refuse(what: str) -> ConversionError:
    return _error(f"[error] {what}")


class _Parser:
    """Recursive descent, one method per kind of thing."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.problem: ConversionError | None = None

    def skip(self, pattern: re.Pattern[str]) -> bool:
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found is not None

    def take(self, text: str) -> bool:
        if not self.text.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def document(self) -> _Table:
        root = self.body()
        while self.problem is None and self.at < len(self.text):
            if self.take("[["):
                keys = self.header("]]", "array-table")
                _insert_element(root, keys, self.body())
            else:
                self.take("[")
                keys = self.header("]", "table")
                _insert_table(root, keys, self.body())
        if self.problem is not None:
            raise self.problem
        return root

    def header(self, end: str, what: str) -> Keys:
        try:
            keys = self.keys()
        except ConversionError:
            keys = []
        if not keys or not self.take(end):
            raise _refuse(f"toml::parse_file: invalid {what} key")
        if not self.skip(_LINE_END):
            raise _refuse("toml::parse_file: newline (or EOF) expected")
        return keys

    def body(self) -> _Table:
        """The lines up to the next header, or to one that cannot be read.

        Such a `problem` is less urgent than whether the table may be there at all.
        """
        table = _Table(Made.HEADER)
        try:
            self.lines(table)
        except ConversionError as problem:
            self.problem = problem
        return table

    def lines(self, table: _Table) -> None:
        self.skip(_BLANK)
        while self.at < len(self.text) and self.peek() != "[":
            checkpoint()
            self.pair(table)
            self.skip(_SPACE)
            # As toml11: a header may follow on the same line.
            if self.peek() != "[" and not self.skip(_LINE_END):
                raise _refuse("toml::parse_table: newline (LF / CRLF) or EOF is expected")
            self.skip(_BLANK)

    def pair(self, table: _Table) -> None:
        keys = self.keys()
        if not self.take("="):
            raise _refuse("toml::parse_key_value_pair: invalid key value separator `=`")
        self.skip(_SPACE)
        _insert_value(table, keys, self.value())

    def keys(self) -> Keys:
        """Dotted keys, and the space around them."""
        keys: Keys = []
        while True:
            self.skip(_SPACE)
            keys.append(self.key())
            self.skip(_SPACE)
            if not self.take("."):
                return keys
            if len(keys) > MAX_DEPTH:
                raise too_deep()

    def key(self) -> str:
        start = self.peek()
        if start == '"':
            return self.string(_BASIC, "basic_string")
        if start == "'":
            return self.string(_LITERAL, "literal_string")
        found = _BARE_KEY.match(self.text, self.at)
        if found is None:
            raise _refuse(
                "toml::parse_simple_key: invalid key: key must be \"quoted\", 'quoted-literal', or bare key."
            )
        self.at = found.end()
        return found[0]

    def value(self) -> object:
        char = self.peek()
        if char == '"':
            if self.text.startswith('"""', self.at):
                return self.string(_LONG_BASIC, "ml_basic_string")
            return self.string(_BASIC, "basic_string")
        if char == "'":
            if self.text.startswith("'''", self.at):
                return self.string(_LONG_LITERAL, "ml_literal_string")
            return self.string(_LITERAL, "literal_string")
        if char == "[":
            return self.nested(self.array)
        if char == "{":
            return self.nested(self.inline_table)
        if char and char in "+-0123456789_.":
            return self.number(char)
        return self.word(char)

    def nested(self, read: Callable[[], object]) -> object:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise too_deep()
        value = read()
        self.depth -= 1
        return value

    def string(self, pattern: re.Pattern[str], what: str) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise _refuse(f"toml::parse_{what}: invalid string format")
        self.at = found.end()
        text = found[1]
        if "\\" in text and pattern in (_BASIC, _LONG_BASIC):
            text = _SPECIAL.sub(_unescaped, text)
        if "\0" in text:
            shown = text.replace("\0", "\N{SYMBOL FOR NULL}")
            raise _error(
                f"error: input string '{shown}' cannot be represented as Nix string"
                " because it contains null bytes"
            )
        return text

    def array(self) -> _Array:
        items = _Array(Made.INLINE)
        self.take("[")
        self.skip(_BLANK)
        while not self.take("]"):
            if self.at >= len(self.text):
                raise _refuse("toml::parse_array: missing closing bracket `]`")
            items.append(self.value())
            self.skip(_BLANK)
            if not self.take(",") and self.peek() != "]":
                self.expect_end_of_array()
            self.skip(_BLANK)
        return items

    def expect_end_of_array(self) -> None:
        if self.at >= len(self.text):
            raise _refuse("toml::parse_array: missing closing bracket `]`")
        raise _refuse("toml::parse_array: expected value-separator `,` or closing `]`")

    def inline_table(self) -> _Table:
        table = _Table(Made.HEADER)
        self.take("{")
        self.skip(_SPACE)
        while not self.take("}"):
            self.pair(table)
            self.skip(_SPACE)
            if self.take(","):
                self.skip(_SPACE)
                if self.peek() == "}":
                    raise _refuse("toml::parse_inline_table: trailing comma is not allowed in TOML-v1.0.0)")
            elif self.peek() != "}":
                raise _refuse("toml::parse_inline_table: expected value-separator `,` or closing `}`")
        table.made = Made.INLINE
        return table

    def word(self, char: str) -> Value:
        for word in ("true", "false", "inf", "nan"):
            if char and char.lower() == word[0]:
                if self.take(word):
                    return _WORDS[word]
                if char in "tf":
                    raise _refuse(
                        "toml::parse_boolean: invalid boolean: boolean must be `true` or `false`,"
                        ' in lowercase. string must be surrounded by `"`'
                    )
                raise _refuse(
                    f"toml::parse_value: `{word}` must be in lowercase."
                    " A string must be surrounded by quotes."
                )
        raise _refuse("bad format: unknown value appeared")

    def number(self, first: str) -> object:
        if first == "_":
            raise _refuse("bad number: `_` must be surrounded by digits")
        if first == ".":
            raise _refuse("bad float: integer part is required before decimal point")
        signed = first in "+-"
        digits = self.at + signed
        if signed and self.text[digits : digits + 3] in ("inf", "nan"):
            self.at = digits + 3
            return _WORDS[first + self.text[digits : digits + 3]]
        if self.text[digits : digits + 1] == "0" and self.text[digits + 1 : digits + 2] in _BASES:
            return self.based_integer(_BASES[self.text[digits + 1]], signed)
        return self.moment() or self.decimal(digits)

    def based_integer(self, base: tuple[int, str, re.Pattern[str], str], signed: bool) -> int:
        radix, name, pattern, example = base
        found = None if signed else pattern.match(self.text, self.at + 2)
        if found is None:
            raise _refuse(f"toml::parse_{name}_integer: invalid integer: {name}_int must be like: {example}")
        self.at = found.end()
        self.after_integer(plain=radix != 16)
        digits = found[0].replace("_", "").lstrip("0")
        if len(digits) > 63 or int(digits or "0", radix) > INT_MAX:
            raise _refuse(f"toml::parse_{name}_integer: too large integer: current max value = 2^63")
        return int(digits or "0", radix)

    def after_integer(self, *, plain: bool) -> None:
        char = self.peek()
        if char == "_":
            raise _refuse("bad integer: `_` must be surrounded by digits")
        if plain and char and char in "0123456789":
            raise _refuse("bad integer: invalid digit after an integer")

    def moment(self) -> _Moment | None:
        """A date, a time or both, checked and thrown away."""
        day = _DATE.match(self.text, self.at)
        if day is not None:
            _check_date(day)
            self.at = day.end()
            time = _TIME.match(self.text, self.at + 1) if self.peek() and self.peek() in "Tt " else None
        else:
            if _YEAR.match(self.text, self.at):
                raise _refuse("bad datetime: invalid format")
            time = _TIME.match(self.text, self.at)
        if time is not None:
            _check_time(time)
            self.at = time.end()
            if day is not None:
                self.offset()
        return _Moment() if day or time else None

    def offset(self) -> None:
        found = _OFFSET.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
            if found[1] is not None and (int(found[1]) > 24 or int(found[2]) > 60):
                raise _refuse("toml::parse_offset_datetime: too large offset: |hour| <= 24, |minute| <= 60")

    def decimal(self, digits: int) -> int | float:
        found = _NUMBER.match(self.text, self.at)
        if found is None:
            raise _refuse("bad format: unknown value appeared")
        if self.text.startswith("0_", digits):
            raise _refuse("bad integer: leading zero is not allowed in decimal int")
        if self.text.startswith("00", digits):
            raise _refuse("bad integer: leading zero")
        self.at = found.end()
        text = found[0].replace("_", "")
        if found["real"]:
            return self.floating(text)
        if self.peek() and self.peek() in ".eE":
            raise _refuse("bad float: invalid format")
        self.after_integer(plain=True)
        number = parse_int(text)
        if number is None:
            raise _refuse("toml::parse_dec_integer: too large integer: current max digits = 2^63")
        return number

    def floating(self, text: str) -> float:
        if self.peek() == "_":
            raise _refuse("bad float: `_` must be surrounded by digits")
        number = float(text)
        if isinf(number):
            raise _refuse("toml::parse_floating: failed to read floating point value from stream")
        return number


def _unescaped(found: re.Match[str]) -> str:
    char = found[0][1]
    if char in _SHORT:
        return _SHORT[char]
    if char not in "uU":
        return ""
    code = int(found[0][2:], 16)
    if 0xD800 <= code <= 0xDFFF:
        raise _refuse("toml::parse_utf8_codepoint: [0xD800, 0xDFFF] is not a valid UTF-8")
    if code > 0x10FFFF:
        raise _refuse("toml::parse_utf8_codepoint: input codepoint is too large.")
    return chr(code)


def _check_date(found: re.Match[str]) -> None:
    year, month, day = [int(part) for part in found.groups()]
    if not (1 <= month <= 12 and 1 <= day <= _days(year, month)):
        raise _refuse("toml::parse_local_date: invalid date.")


def _days(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _check_time(found: re.Match[str]) -> None:
    hour, minute, second = [int(part) for part in found.groups()]
    if hour > 23 or minute > 59 or second > 60:
        raise _refuse("toml::parse_local_time: invalid time.")


def _inner(table: _Table, key: str, made: Made) -> _Table:
    """The table `key` of `table`, to put something inside; made, if there is none yet."""
    found = table.get(key)
    if found is None:
        found = table[key] = _Table(made)
    elif isinstance(found, _Array) and found.has_tables:
        if found.made is Made.INLINE:
            raise _refuse("toml::insert_value:inline array of tables are immutable")
        found = found[-1]
    elif not isinstance(found, _Table):
        raise _refuse("toml::insert_value: failed to insert a value, value already exists")
    elif found.made is Made.INLINE:
        raise _refuse("toml::insert_value: failed to insert a value: inline table is immutable")
    return cast(_Table, found)


def _insert_value(table: _Table, keys: Keys, value: object) -> None:
    """`a.b = value`"""
    for key in keys[:-1]:
        table = _inner(table, key, Made.DOTTED)
    if keys[-1] in table:
        raise _refuse("toml::insert_value: failed to insert a value, value already exists")
    table[keys[-1]] = value


def _insert_table(table: _Table, keys: Keys, body: _Table) -> None:
    """`[a.b]` and what follows it."""
    for key in keys[:-1]:
        table = _inner(table, key, Made.PATH)
    found = table.setdefault(keys[-1], body)
    if found is body:
        return
    if not isinstance(found, _Table) or found.made is not Made.PATH:
        raise _refuse("toml::insert_value: failed to insert a table, table already defined")
    for key, value in body.items():
        if key in found:
            if isinstance(value, _Table) and value.made is Made.DOTTED:
                raise _refuse("toml::insert_value: reopening a table using dotted keys")
            raise _refuse("toml::insert_value: failed to insert a value, value already exists")
        found[key] = value
    found.made = Made.HEADER


def _insert_element(table: _Table, keys: Keys, body: _Table) -> None:
    """`[[a.b]]` and what follows it."""
    for key in keys[:-1]:
        table = _inner(table, key, Made.PATH)
    found = table.get(keys[-1])
    if found is None:
        found = table[keys[-1]] = _Array(Made.HEADER)
    elif not isinstance(found, _Array) or not found.has_tables:
        raise _refuse("toml::insert_value: failed to insert an array of tables, value already exists")
    elif found.made is Made.INLINE:
        raise _refuse("toml::insert_value: failed to insert a table, inline array of tables is immutable")
    found.append(body)


def _value(value: object) -> Value:
    if isinstance(value, _Table):
        return AttrSet({normal(name): _value(inner) for name, inner in value.items()})
    if isinstance(value, _Array):
        return tuple([_value(inner) for inner in value])
    if isinstance(value, _Moment):
        raise _error("Dates and times are not supported")
    return normal(value) if isinstance(value, str) else value
