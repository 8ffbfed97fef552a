"""Text into tokens.

Nix cannot be cut into tokens without knowing where one stands: inside a string other things
count than outside, and `${` leads back out. So there is a stack of modes, and for each mode one
regular expression. Where two kinds of token begin alike the longer one wins, as in Nix:
`a/b` is a path, `a:b` a URI; the expressions look ahead for that, and never go back over a text twice.

A string or a path without interpolation is a single token.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from functools import cache, partial
from typing import Final, TypeAlias

from aionix.errors import ParseError
from aionix.source import Source, Span, decode
from aionix.syntax.strings import Chunk, strip_indentation, unescape, unescape_character
from aionix.syntax.tables import Tables

#: (terminal, value, start, end); offsets are those of the source map. The value of a literal is its
#: `start`, that of another token its text; text from within a string is not decoded yet.
Token: TypeAlias = tuple[int, object, int, int]

_SPACE = r"(?:[ \t\r\n]++|\#[^\r\n]*+|/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/)*+"
# What may stand in a string, up to its end or an interpolation. A dollar takes the character
# after it along, unless that is a brace: `$${` is three characters.
_TEXT = r'[^"\\$]*+(?:(?:\\[\s\S]|\$(?:[^{"\\]|(?=["\\])))[^"\\$]*+)*+'
# A quote in an indented string does so too; where neither can, it is a piece of its own.
_INDENTED_RUN = r"(?:\$[^{']|'[^'$]|[^'$])"
_INDENTED = r"[^'$]*+(?:(?:\$[^{']|'[^'$])[^'$]*+)*+"
_WORD = r"[a-zA-Z_][\w'-]*+"
_RUN = r"[\w.+-]"  # what a path may have between its slashes
# What a path may have before its first one. Each token looks whether it begins such a path; 255 is the
# longest name of a file, and the bound that keeps `-----...` from taking quadratic time.
_FIRST = rf"{_RUN}{{0,255}}+"
_URI = r"[\w%/?:@&=+$,.!~*'-]"
_EXPONENT = r"(?:[Ee][+-]?[0-9]++)?+"

_EXPRESSION: Final = re.compile(
    rf"""{_SPACE}(?:
      ( {_WORD} (?! {_FIRST} (?: /[\w.+$-] | :{_URI} ) )  # by far the most tokens
      | [][();,@?] | =(?!=) | :  | \.(?! \.|\d|{_FIRST}/ ) )
    | ( [{{}}] | \$\{{ )
    | "({_TEXT})"
    | ''(?:[ ]*+\n)?+({_INDENTED})''(?!['$\\])
    | ( (?:~|{_FIRST}) (?:/{_RUN}++)++ ) (?!/|\$\{{)
    | ( (?:~|{_FIRST}) (?: (?:/{_RUN}++)++ /?+ | /(?=\$\{{) ) )
    | <({_RUN}++(?:/{_RUN}++)*+)>
    | ( [1-9][0-9]*+\.[0-9]*+{_EXPONENT} | 0?\.[0-9]++{_EXPONENT} )
    | ( [0-9]++ )
    | ( [a-zA-Z][a-zA-Z0-9+.-]{{0,255}}+:{_URI}++ )
    | ( {_WORD} | \.\.\. | [=!<>]= | && | \|\| | -> | // | \+\+ | <\| | \|> | [.<>+*/!-] )
    | ( '' (?:[ ]*+\n)?+ | " )
    | ( \Z )
    | ( [\s\S] )
    )""",
    re.ASCII | re.VERBOSE,
)
(
    _COMMON, _BRACE, _WHOLE_STRING, _WHOLE_INDENTED, _WHOLE_PATH, _OPEN_PATH, _SEARCH_PATH, _FLOAT, _INT,
    _WHOLE_URI, _OTHER, _OPEN_STRING, _END,
) = range(1, 14)  # fmt: skip


_IN_STRING: Final = re.compile(rf'({_TEXT})(?:(\$\{{)|(")|[\s\S]*)')
_IN_INDENTED: Final = re.compile(
    rf"""(\$\{{) | ''(?: (\$|'|\\[\s\S]) | () ) | ( (?={_INDENTED_RUN}){_INDENTED} | ['$] ) | \Z""",
    re.VERBOSE,
)
_IN_PATH: Final = re.compile(
    rf"(\$\{{) | ({_RUN}*+(?:/{_RUN}++)++/?+ | {_RUN}*+/ | {_RUN}++) | ", re.ASCII | re.VERBOSE
)

#: The terminal of a character that begins no token; no rule of the grammar has it.
INVALID: Final = 255

_PIPES_ARE_OFF: Final = (
    "experimental Nix feature 'pipe-operators' is disabled; "
    "add '--extra-experimental-features pipe-operators' to enable it"
)

_Mode: TypeAlias = "Callable[[int], Generator[Token, None, tuple[int, _Mode | None]]]"


def tokens(source: Source, tables: Tables, *, pipe_operators: bool) -> Iterator[Token]:
    """The tokens of `source`, one `$END` last. Raises `ParseError` where that token would stand."""
    return _Lexer(source, tables, pipe_operators).run()


@cache
def _numbers(symbols: tuple[str, ...]) -> dict[str, int]:
    return {name: at for at, name in enumerate(symbols)}


class _Lexer:
    """Each mode is a generator of tokens that returns where it stopped and the mode that follows."""

    def __init__(self, source: Source, tables: Tables, pipe_operators: bool) -> None:
        self._text = source.text
        self._base = source.base
        self._literals = tables.literals
        self._number = _numbers(tuple(tables.symbols))
        self._pipe_operators = pipe_operators
        #: One for each open brace: the mode that its end leads back to; None is _expression.
        self._braces: list[_Mode | None] = []

    def run(self) -> Iterator[Token]:
        mode: _Mode | None = self._expression
        position = 0
        while mode is not None:
            position, mode = yield from mode(position)

    def _expression(self, position: int) -> Generator[Token, None, tuple[int, _Mode | None]]:
        base, braces, other = self._base, self._braces, self._other
        literal, identifier = self._literals.get, self._number["ID"]
        string = self._number["STRING"]
        for match in _EXPRESSION.finditer(self._text, position):
            group = match.lastindex
            assert group is not None  # the last alternative takes anything
            start, end = match.span(group)
            start += base
            if group == _COMMON:
                lexeme = match[group]
                kind = literal(lexeme)
                if kind is None:
                    yield identifier, lexeme, start, end + base
                else:
                    yield kind, start, start, end + base
            elif group == _BRACE:
                lexeme = match[group]
                yield self._literals[lexeme], start, start, end + base
                if lexeme != "}":
                    braces.append(None)
                elif braces and (mode := braces.pop()) is not None:
                    return end, mode
            elif group == _WHOLE_STRING:
                yield string, decode(unescape(self._text_at(start - base, end))), start - 1, end + 1 + base
            elif group < _OPEN_PATH:
                yield other(group, match[group], start, end + base)
            elif group == _OPEN_PATH:
                lexeme = match[group]
                name = "HPATH_OPEN" if lexeme[0] == "~" else "PATH_OPEN"
                yield self._number[name], lexeme, start, end + base
                return end, partial(self._path, begin=start - base)
            elif group == _OPEN_STRING:
                lexeme = match[group][:2]
                yield self._literals[lexeme], start, start, end + base
                return end, self._string if lexeme == '"' else self._indented
            elif group == _END:
                return (yield from self._end())
            else:
                yield other(group, match[group], start, end + base)
        raise AssertionError("the text ends with the end")

    def _other(self, group: int, lexeme: str, start: int, end: int) -> Token:
        """A token that is rare enough for a second look."""
        number = self._number
        if group == _OTHER:
            kind = self._literals.get(lexeme)
            if kind is None:
                return number["ID"], lexeme, start, end
            if lexeme in ("|>", "<|") and not self._pipe_operators:
                raise ParseError(_PIPES_ARE_OFF, span=Span(start, end))
            return kind, start, start, end
        if group == _WHOLE_PATH:
            return number["HPATH" if lexeme[0] == "~" else "PATH"], lexeme, start, end
        if group == _WHOLE_INDENTED:
            chunk = Chunk(self._text_at(start - self._base, end - self._base), escaped=False)
            text = "".join(strip_indentation([chunk]))
            start = self._text.rindex("''", 0, start - self._base) + self._base
            return number["IND_STRING"], decode(text), start, end + 2
        if group == _SEARCH_PATH:
            return number["SPATH"], lexeme, start - 1, end + 1
        name = {_INT: "INT_LIT", _FLOAT: "FLOAT_LIT", _WHOLE_URI: "URI"}.get(group)
        return number[name] if name else INVALID, lexeme, start, end

    def _string(self, position: int) -> Generator[Token, None, tuple[int, _Mode | None]]:
        match = _IN_STRING.match(self._text, position)
        assert match is not None  # it matches the empty text
        end = match.end(1)
        if end > position:
            text = unescape(self._text_at(position, end))
            yield self._number["STR"], text, position + self._base, end + self._base
        lexeme = match[2] or match[3]
        if lexeme is None:
            return (yield from self._end())
        yield self._literals[lexeme], end + self._base, end + self._base, match.end() + self._base
        if lexeme != '"':
            self._braces.append(self._string)
        return match.end(), self._expression

    def _indented(self, position: int) -> Generator[Token, None, tuple[int, _Mode | None]]:
        for match in _IN_INDENTED.finditer(self._text, position):
            start, end = match.start() + self._base, match.end() + self._base
            if match.lastindex == 4:
                chunk = Chunk(self._text_at(*match.span()), escaped=False)
                yield self._number["IND_STR"], chunk, start, end
            elif match.lastindex == 2:
                text = match[2] if len(match[2]) == 1 else unescape_character(match[2][1])
                text = "''" if text == "'" else text
                yield self._number["IND_STR"], Chunk(text, escaped=True), start, end
            elif match.lastindex == 3:
                yield self._number["IND_STRING_CLOSE"], start, start, end
                return match.end(), self._expression
            elif match.lastindex == 1:
                yield self._literals["${"], start, start, end
                self._braces.append(self._indented)
                return match.end(), self._expression
            else:
                break
        return (yield from self._end())

    def _path(
        self, position: int, begin: int | None = None
    ) -> Generator[Token, None, tuple[int, _Mode | None]]:
        """The rest of a path; `begin` is where it began, None after an interpolation."""
        piece = position if begin is None else begin
        for match in _IN_PATH.finditer(self._text, position):
            start, end = match.start() + self._base, match.end() + self._base
            if match.lastindex == 1:
                yield self._literals["${"], start, start, end
                self._braces.append(self._path)
                return match.end(), self._expression
            if match.lastindex is None:
                break
            yield self._number["STR"], match[2], start, end
            piece, position = match.span()
        span = Span(piece + self._base, position + self._base)
        if self._text[position - 1] == "/":
            raise ParseError("path has a trailing slash", span=span)
        yield self._number["PATH_END"], span.start, *span
        return position, self._expression

    def _text_at(self, start: int, end: int) -> str:
        """What stands in a string. Nix strings end at a null byte, so there can be none inside."""
        text = self._text[start:end]
        if "\0" in text:
            shown = decode(text).replace("\0", "␀")
            raise ParseError(
                f"input string '{shown}' cannot be represented as Nix string because it contains null bytes",
                span=Span(start + self._base, end + self._base),
            )
        return text

    def _end(self) -> Generator[Token, None, tuple[int, _Mode | None]]:
        end = len(self._text) + self._base
        yield self._number["$END"], end, end, end
        return end, None
