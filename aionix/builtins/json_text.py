"""Reading JSON (RFC 8259), with the error messages of the library that C++ Nix uses, nlohmann's.

What is wrong is said in terms of the token that was read, where reading had come to (columns
count bytes, from 1, the offending one included) and the text since the last string or number.
The parser is a loop with a stack of its own, so that depth costs only memory.
"""

from __future__ import annotations

import re
from math import isinf
from typing import NoReturn, TypeAlias, cast

from aionix.builtins.json_usual import UNUSUAL, read_usual
from aionix.errors import ConversionError, InvalidArgument
from aionix.values.attrs import AttrSet
from aionix.values.limits import MAX_NESTING, checkpoint, too_deep
from aionix.values.numbers import INT_MAX, INT_MIN
from aionix.values.strings import plain, to_bytes
from aionix.values.thunk import Value

UINT_MAX = 2**64 - 1
CHECKPOINT_MASK = 1023

# What a token is, named as messages name it; "" stands for one that could not be read.
Token: TypeAlias = str
BAD: Token = ""
STRING: Token = "string literal"
NUMBER: Token = "number literal"
END: Token = "end of input"
_PUNCTUATION: dict[str, Token] = {char: f"'{char}'" for char in "[]{}:,"}
_LITERALS: dict[str, tuple[Token, Value]] = {
    "true": ("true literal", True),
    "false": ("false literal", False),
    "null": ("null literal", None),
}
_CONSTANTS = frozenset({"true literal", "false literal", "null literal"})

# One token in the usual case; the rest, and all errors, are the business of `_Scanner.rare`.
_USUAL = re.compile(
    r'[ \t\n\r]*(?:"([^"\\\x00-\x1f]*)"|([\[\]{}:,])|(-?(?:0|[1-9][0-9]*))(?![0-9.eE])|(true|false|null))'
)
_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)?(\.[0-9]*)?([eE][+-]?[0-9]*)?")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_CONTROL = re.compile(r"[\x00-\x1f]")
_HEX = re.compile(r"[0-9a-fA-F]{0,4}")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_SHORT = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_CONTROL_NAMES = (
    "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB"
    " ESC FS GS RS US"
).split()


def parse_json(text: str) -> Value:
    """The value that `text` spells. Raises ConversionError, InvalidArgument for a NUL in a string."""
    usual = read_usual(text)
    if usual is not UNUSUAL:
        return usual
    data = plain(text) if text.isascii() else to_bytes(text).decode("latin-1")
    return _Parser(data).document()


class _BadToken(Exception):
    """Why a token cannot be read; the scanner's `at` is behind the offending byte."""


class _Scanner:
    """Cuts latin-1 `data`, one character per byte, into tokens."""

    def __init__(self, data: str) -> None:
        self.data = data
        self.at = 0  # may be one more than there is: the end was read
        self.since = 0  # where the last string or number began
        self.value: Value = None
        self.problem = ""

    def next(self) -> Token:
        """Reads a token; its meaning is then in `value`, or `problem` if it is BAD."""
        found = _USUAL.match(self.data, self.at)
        if found is None:
            return self.rare()
        self.at = found.end()
        kind = cast(int, found.lastindex)
        text = found[kind]
        if kind == 2:
            return _PUNCTUATION[text]
        if kind == 4:
            token, self.value = _LITERALS[text]
            return token
        if kind == 1 and not text.isascii():
            self.at = found.start(1) - 1
            return self.rare()
        self.since = found.start(kind) - (kind == 1)
        self.value = text
        return STRING if kind == 1 else NUMBER

    def rare(self) -> Token:
        try:
            return self.scan()
        except _BadToken as problem:
            self.problem = str(problem)
            return BAD

    def get(self) -> str:
        """The next byte, or "" at the end, which counts as read too."""
        char = self.data[self.at : self.at + 1]
        self.at += 1
        return char

    def scan(self) -> Token:
        if self.at == 0 and self.data[:1] == "\xef":
            self.byte_order_mark()
            return self.next()
        self.at = cast(re.Match[str], _SPACE.match(self.data, self.at)).end()
        char = self.get()
        if not char:
            return END
        if char == '"':
            self.since = self.at - 1
            self.value = self.string()
            return STRING
        if char in "-0123456789":
            self.since = self.at = self.at - 1
            self.value = self.number()
            return NUMBER
        self.bad_literal(char)

    def byte_order_mark(self) -> None:
        self.at = 1
        if self.get() != "\xbb" or self.get() != "\xbf":
            raise _BadToken("invalid BOM; must be 0xEF 0xBB 0xBF if given")

    def bad_literal(self, first: str) -> NoReturn:
        """Reads up to what differs from `true`, `false` or `null`."""
        for word in _LITERALS:
            if word[0] == first:
                for char in word[1:]:
                    if self.get() != char:
                        break
                break
        raise _BadToken("invalid literal")

    def number(self) -> str:
        found = cast(re.Match[str], _NUMBER.match(self.data, self.at))
        text, fraction, exponent = found[0], found[1], found[2]
        problem = ""
        if fraction == ".":
            problem, self.at = "expected digit after '.'", found.end(1)
        elif not text.lstrip("-")[:1].isdigit():
            problem, self.at = "expected digit after '-'", self.at + 1
        elif exponent is not None and not exponent[-1].isdigit():
            problem, self.at = "expected digit after exponent sign", found.end()
            if exponent[-1] in "eE":
                problem = "expected '+', '-', or digit after exponent"
        if problem:
            self.get()
            raise _BadToken(f"invalid number; {problem}")
        self.at = found.end()
        return text

    def string(self) -> str:
        pieces: list[str] = []
        while True:
            pieces.append(self.plain_run())
            char = self.get()
            if char == '"':
                return "".join(pieces)
            if char == "\\":
                pieces.append(self.escape())
            elif char:
                raise _BadToken(f"invalid string: {_control(char)}")
            else:
                raise _BadToken("invalid string: missing closing quote")

    def plain_run(self) -> str:
        found = cast(re.Match[str], _PLAIN.match(self.data, self.at))
        try:
            text = found[0].encode("latin-1").decode()
        except UnicodeDecodeError as error:
            whole = error.reason == "invalid start byte"
            self.at += (error.start if whole else error.end) + 1
            raise _BadToken("invalid string: ill-formed UTF-8 byte") from None
        self.at = found.end()
        return text

    def escape(self) -> str:
        char = self.get()
        if char in _ESCAPES:
            return _ESCAPES[char]
        if char != "u":
            raise _BadToken("invalid string: forbidden character after backslash")
        code = self.code_unit()
        if 0xDC00 <= code <= 0xDFFF:
            raise _BadToken("invalid string: surrogate U+DC00..U+DFFF must follow U+D800..U+DBFF")
        if 0xD800 <= code <= 0xDBFF:
            code = 0x10000 + (code - 0xD800 << 10) + self.low_surrogate()
        return chr(code)

    def low_surrogate(self) -> int:
        if self.get() == "\\" and self.get() == "u":
            code = self.code_unit()
            if 0xDC00 <= code <= 0xDFFF:
                return code - 0xDC00
        raise _BadToken("invalid string: surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF")

    def code_unit(self) -> int:
        digits = cast(re.Match[str], _HEX.match(self.data, self.at))[0]
        self.at += len(digits)
        if len(digits) < 4:
            self.get()
            raise _BadToken("invalid string: '\\u' must be followed by 4 hex digits")
        return int(digits, 16)

    def error(self, what: str, token: Token) -> ConversionError:
        """The error that says where reading has come to with `token`."""
        line = self.data.count("\n", 0, self.at) + 1
        column = self.at - (self.data.rfind("\n", 0, self.at) + 1)
        if token is NUMBER and self.data[self.at : self.at + 1] == "\n":
            column = 0  # nlohmann's reads on to see the end of a number, and cannot quite go back
        return ConversionError(
            f"[json.exception.parse_error.101] parse error at line {line}, column {column}: {what}"
        )

    def last_read(self) -> str:
        text = _CONTROL.sub(lambda found: f"<U+{ord(found[0]):04X}>", self.data[self.since : self.at])
        return text.encode("latin-1").decode("utf-8", "surrogateescape")


def _control(char: str) -> str:
    code = f"{ord(char):04X}"
    short = f" or {_SHORT[char]}" if char in _SHORT else ""
    name = _CONTROL_NAMES[ord(char)]
    return f"control character U+{code} ({name}) must be escaped to \\u{code}{short}"


def _number(text: str) -> Value:
    """Integers too large for 64 bits, of which one may be the sign, are floats to nlohmann's."""
    if len(text) > 20 or not text.lstrip("-").isdigit():
        return _floating(text)
    number = int(text)
    if INT_MIN <= number <= INT_MAX:
        return number
    if 0 < number <= UINT_MAX:
        raise InvalidArgument(f"unsigned json number {number} outside of Nix integer range")
    return float(number)


def _floating(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise ConversionError(f"[json.exception.out_of_range.406] number overflow parsing '{text}'")
    return number


def _checked(text: str) -> str:
    if "\0" in text:
        shown = text.replace("\0", "\N{SYMBOL FOR NULL}")
        raise InvalidArgument(
            f"input string '{shown}' cannot be represented as Nix string because it contains null bytes"
        )
    return text


class _Parser:
    """`stack` has the lists and sets that are open, `names` the attributes that wait for a value."""

    def __init__(self, data: str) -> None:
        self.scanner = _Scanner(data)
        self.stack: list[list[Value] | AttrSet] = []
        self.names: list[str] = []
        self.steps = 0
        self.token: Token = BAD
        self.result: Value = None

    def advance(self) -> Token:
        self.token = token = self.scanner.next()
        return token

    def document(self) -> Value:
        self.advance()
        while True:
            opened, value = self.begin()
            if not opened and self.complete(value):
                if self.advance() != END:
                    raise self.error("value", END)
                return self.result

    def begin(self) -> tuple[bool, Value]:
        """Reads a scalar or an empty list or set; or opens one and moves to its first value."""
        token = self.token
        if token is STRING:
            return False, _checked(cast(str, self.scanner.value))
        if token is NUMBER:
            return False, _number(cast(str, self.scanner.value))
        if token in _CONSTANTS:
            return False, self.scanner.value
        if token == "'['":
            if self.advance() == "']'":
                return False, ()
            self.open([])
            return True, None
        if token == "'{'":
            if self.advance() == "'}'":
                return False, AttrSet()
            self.open(AttrSet())
            self.name()
            return True, None
        raise self.unexpected()

    def open(self, container: list[Value] | AttrSet) -> None:
        if len(self.stack) >= MAX_NESTING:
            raise too_deep()
        self.stack.append(container)

    def complete(self, value: Value) -> bool:
        """Puts `value` where it belongs, closes what ends behind it; is that the whole document?"""
        self.steps += 1
        if self.steps & CHECKPOINT_MASK == 0:
            checkpoint()
        while self.stack:
            container = self.stack[-1]
            if isinstance(container, list):
                container.append(value)
                if self.more("']'", "array"):
                    return False
                value = tuple(container)
            else:
                container[self.names.pop()] = value
                if self.more("'}'", "object"):
                    self.name()
                    return False
                value = container
            self.stack.pop()
        self.result = value
        return True

    def more(self, end: Token, context: str) -> bool:
        """Moves past a comma, or over the end of a list or set."""
        if self.advance() == "','":
            self.advance()
            return True
        if self.token != end:
            raise self.error(context, end)
        return False

    def name(self) -> None:
        if self.token is not STRING:
            raise self.error("object key", STRING)
        self.names.append(_checked(cast(str, self.scanner.value)))
        if self.advance() != "':'":
            raise self.error("object separator", "':'")
        self.advance()

    def unexpected(self) -> ConversionError:
        if self.token == END and not self.scanner.data:
            return self.scanner.error(
                "attempting to parse an empty input;"
                " check that your input string or stream contains the expected JSON",
                END,
            )
        return self.error("value", "'[', '{', or a literal" if self.token != BAD else None)

    def error(self, context: str, expected: str | None) -> ConversionError:
        scanner = self.scanner
        if self.token == BAD:
            what = f"{scanner.problem}; last read: '{scanner.last_read()}'"
        else:
            what = f"unexpected {self.token}"
        wanted = f"; expected {expected}" if expected else ""
        return scanner.error(f"syntax error while parsing {context} - {what}{wanted}", self.token)
