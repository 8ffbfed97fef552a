"""Nodes, one method for each name in `nix.lark`.

A method gets the span of its rule and the rule's values: of a literal its offset, of any other token its
text, of a rule what its method returned. Lists under construction are Python lists.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Literal, cast

from aionix.errors import LiteralError, ParseError
from aionix.source import Source, Span, decode
from aionix.syntax import nodes
from aionix.syntax.nodes import AttrName, BinaryOp, Expr, UnaryOp
from aionix.syntax.options import Lint, ParseOptions
from aionix.syntax.strings import Chunk, strip_indentation

_MAX_INT = 2**63 - 1
_MIN_NORMAL = sys.float_info.min

_CURSED_OR = (
    "This expression uses `or` as an identifier in a way that will change in a future Nix release.\n"
    "Wrap this entire expression in parentheses to preserve its current meaning:\n"
    "    ({})\n"
    "Give feedback at https://github.com/NixOS/nix/pull/11121"
)
_ABSOLUTE_PATH = (
    "absolute path literals are not portable. Consider replacing path literal '{}' by a string, "
    "relative path, or parameter (lint-absolute-path-literals)"
)
_HOME_PATH = _ABSOLUTE_PATH.replace("absolute", "home", 1)
_SHORT_PATH = (
    "relative path literal '{0}' should be prefixed with '.' for clarity: './{0}' (lint-short-path-literals)"
)
_URL = 'URL literals are disallowed. Consider using a string literal "{}" instead (lint-url-literals)'

Binds = list[nodes.Binding | nodes.Inherit]
#: What stands between quotes: texts, not decoded yet, and interpolations.
Pieces = list[str | Expr]


class Builder:
    def __init__(self, options: ParseOptions, source: Source) -> None:
        self._options = options
        self._source = source
        #: Applications to `or` that are not in parentheses (so far).
        self._or_calls: set[Expr] = set()

    # Functions, and what else extends to the right as far as it can

    def lambda_name(self, span: Span, name: str, colon: int, body: Expr) -> nodes.Lambda:
        return nodes.Lambda(name, Span(span.start, span.start + len(name)), None, body, span)

    def lambda_set(self, span: Span, formals: nodes.Formals, colon: int, body: Expr) -> nodes.Lambda:
        _refuse_duplicates(formals, None)
        return nodes.Lambda(None, None, formals, body, span)

    def lambda_set_name(
        self, span: Span, formals: nodes.Formals, at: int, name: nodes.StaticName, colon: int, body: Expr
    ) -> nodes.Lambda:
        _refuse_duplicates(formals, name)
        return nodes.Lambda(name.text, name.span, formals, body, span)

    def lambda_name_set(
        self, span: Span, name: str, at: int, formals: nodes.Formals, colon: int, body: Expr
    ) -> nodes.Lambda:
        name_span = Span(span.start, span.start + len(name))
        _refuse_duplicates(formals, nodes.StaticName(name, name_span))
        return nodes.Lambda(name, name_span, formals, body, span)

    def open_formals(self, span: Span, brace: int, entries: list[nodes.Formal], *_: int) -> nodes.Formals:
        return nodes.Formals(tuple(entries), True, span)

    def any_formals(self, span: Span, *_: int) -> nodes.Formals:
        return nodes.Formals((), True, span)

    def closed_formals(self, span: Span, brace: int, entries: list[nodes.Formal], *_: int) -> nodes.Formals:
        return nodes.Formals(tuple(entries), False, span)

    def no_formals(self, span: Span, *_: int) -> nodes.Formals:
        return nodes.Formals((), False, span)

    def formal(self, span: Span, name: str) -> nodes.Formal:
        return nodes.Formal(name, None, span)

    def formal_default(self, span: Span, name: str, mark: int, default: Expr) -> nodes.Formal:
        return nodes.Formal(name, default, span)

    def assertion(
        self, span: Span, keyword: int, condition: Expr, semicolon: int, body: Expr
    ) -> nodes.Assert:
        return nodes.Assert(condition, body, span)

    def with_(self, span: Span, keyword: int, namespace: Expr, semicolon: int, body: Expr) -> nodes.With:
        return nodes.With(namespace, body, span)

    def let(self, span: Span, keyword: int, binds: Binds, in_: int, body: Expr) -> nodes.Let:
        for bind in binds:
            if isinstance(bind, nodes.Binding) and isinstance(bind.path[0], nodes.DynamicName):
                message = "dynamic attributes not allowed in let"
                raise ParseError(message, span=bind.path[0].span)
        return nodes.Let(tuple(binds), body, span)

    def if_(
        self, span: Span, if_: int, condition: Expr, then: int, yes: Expr, else_: int, no: Expr
    ) -> nodes.If:
        return nodes.If(condition, yes, no, span)

    # Operators

    def pipe_from(self, span: Span, function: Expr, pipe: int, argument: Expr) -> nodes.Apply:
        return nodes.Apply(function, argument, span)

    def pipe_into(self, span: Span, argument: Expr, pipe: int, function: Expr) -> nodes.Apply:
        return nodes.Apply(function, argument, span)

    def has_attr(self, span: Span, subject: Expr, mark: int, path: list[AttrName]) -> nodes.HasAttr:
        return nodes.HasAttr(subject, tuple(path), span)

    def apply(self, span: Span, function: Expr, argument: Expr) -> nodes.Apply:
        if self._or_calls:
            self._warn_of_or(argument)
        return nodes.Apply(function, argument, span)

    def apply_or(self, span: Span, function: Expr, keyword: int) -> nodes.Apply:
        call = nodes.Apply(function, nodes.Var("or", Span(keyword, keyword + 2)), span)
        self._or_calls.add(call)
        return call

    def _warn_of_or(self, expr: Expr) -> None:
        if expr in self._or_calls:
            start, end = expr.span
            base = self._source.base
            text = decode(self._source.text[start - base : end - base])
            self._options.warn(_CURSED_OR.format(text), expr.span)

    def select(self, span: Span, subject: Expr, dot: int, path: list[AttrName]) -> nodes.Select:
        return nodes.Select(subject, tuple(path), None, span)

    def select_or(
        self, span: Span, subject: Expr, dot: int, path: list[AttrName], keyword: int, default: Expr
    ) -> nodes.Select:
        return nodes.Select(subject, tuple(path), default, span)

    # Literals and names

    def variable(self, span: Span, name: str) -> nodes.Var:
        return nodes.Var(name, span)

    def integer(self, span: Span, text: str) -> nodes.Int:
        digits = text.lstrip("0") or "0"
        if len(digits) > 19 or int(digits) > _MAX_INT:
            raise LiteralError(f"invalid integer '{text}'", span=span)
        return nodes.Int(int(digits), span)

    def float_(self, span: Span, text: str) -> nodes.Float:
        value = float(text)
        vanishes = value < _MIN_NORMAL and text.lower().partition("e")[0].strip("0.") != ""
        if vanishes or value == float("inf"):
            raise LiteralError(f"invalid float '{text}'", span=span)
        return nodes.Float(value, span)

    def path(self, span: Span, text: str) -> nodes.Path:
        return self._path(span, [text])

    def home_path(self, span: Span, text: str) -> nodes.Path:
        return self._home_path(span, [text])

    def open_path(self, span: Span, start: str, pieces: Pieces, end: int) -> nodes.Path:
        return self._path(span, [start, *pieces])

    def open_home_path(self, span: Span, start: str, pieces: Pieces, end: int) -> nodes.Path:
        return self._home_path(span, [start, *pieces])

    def _home_path(self, span: Span, pieces: Pieces) -> nodes.Path:
        parts = _joined(pieces)
        self._lint(self._options.absolute_path_literals, _HOME_PATH, cast(str, parts[0]), span)
        return nodes.Path("home", parts, span)

    def _path(self, span: Span, pieces: Pieces) -> nodes.Path:
        parts = _joined(pieces)
        text: str = parts[0]  # type: ignore[assignment]  # a cast would take time
        kind: Literal["absolute", "relative"] = "absolute" if text[0] == "/" else "relative"
        if kind == "absolute":
            self._lint(self._options.absolute_path_literals, _ABSOLUTE_PATH, text, span)
        elif text[0] != ".":
            self._lint(self._options.short_path_literals, _SHORT_PATH, text, span)
        return nodes.Path(kind, parts, span)

    def search_path(self, span: Span, name: str) -> nodes.SearchPath:
        return nodes.SearchPath(name, span)

    def uri(self, span: Span, text: str) -> nodes.Uri:
        self._lint(self._options.url_literals, _URL, text, span)
        return nodes.Uri(text, span)

    def _lint(self, lint: Lint, message: str, literal: str, span: Span) -> None:
        if lint == "fatal":
            raise ParseError(message.format(literal), span=span)
        if lint == "warn":
            self._options.warn(message.format(literal), span)

    # Strings

    def string_text(self, span: Span, text: str) -> nodes.Str:
        return nodes.Str((text,) if text else (), span)

    def indented_text(self, span: Span, text: str) -> nodes.Str:
        return nodes.Str((text,) if text else (), span)

    def string(self, span: Span, opening: int, pieces: Pieces, closing: int) -> nodes.Str:
        return nodes.Str(_joined(pieces), span)

    def indented(self, span: Span, opening: int, pieces: list[Chunk | Expr], closing: int) -> nodes.Str:
        """Pieces stay apart: Nix prints such a string as a sum, and evaluates it later."""
        stripped: Sequence[str | Expr] = strip_indentation(pieces)
        parts = [decode(part) if isinstance(part, str) else part for part in stripped if part != ""]
        return nodes.Str(_without_nesting(tuple(parts)), span)

    def begin_interpolation(self, span: Span, dollar: int, expr: Expr, brace: int) -> Pieces:
        return [expr]

    def begin_text_interpolation(self, span: Span, text: str, dollar: int, expr: Expr, brace: int) -> Pieces:
        return [text, expr]

    def append_interpolation(self, span: Span, pieces: Pieces, dollar: int, expr: Expr, brace: int) -> Pieces:
        pieces.append(expr)
        return pieces

    # Sets and lists

    def parenthesised(self, span: Span, opening: int, expr: Expr, closing: int) -> Expr:
        if self._or_calls:
            self._or_calls.discard(expr)
        return expr

    def legacy_let(
        self, span: Span, keyword: int, opening: int, binds: Binds, closing: int
    ) -> nodes.LegacyLet:
        return nodes.LegacyLet(tuple(binds), span)

    def rec_set(self, span: Span, keyword: int, opening: int, binds: Binds, closing: int) -> nodes.AttrSet:
        return nodes.AttrSet(True, tuple(binds), span)

    def set_(self, span: Span, opening: int, binds: Binds, closing: int) -> nodes.AttrSet:
        return nodes.AttrSet(False, tuple(binds), span)

    def empty_set(self, span: Span, opening: int, closing: int) -> nodes.AttrSet:
        return nodes.AttrSet(False, (), span)

    def list_(self, span: Span, opening: int, items: list[Expr], closing: int) -> nodes.List:
        if self._or_calls:
            for item in items:
                self._warn_of_or(item)
        return nodes.List(tuple(items), span)

    def binding(
        self, span: Span, path: list[AttrName], equals: int, value: Expr, semicolon: int
    ) -> nodes.Binding:
        return nodes.Binding(tuple(path), value, span)

    def inherit(self, span: Span, keyword: int, names: list[AttrName], semicolon: int) -> nodes.Inherit:
        return nodes.Inherit(None, _static(names), span)

    def inherit_from(
        self, span: Span, keyword: int, open_: int, source: Expr, close: int, names: list[AttrName], end: int
    ) -> nodes.Inherit:
        return nodes.Inherit(source, _static(names), span)

    def name(self, span: Span, text: str) -> nodes.StaticName:
        return nodes.StaticName(text, span)

    def or_name(self, span: Span, keyword: int) -> nodes.StaticName:
        return nodes.StaticName("or", span)

    def quoted_name(self, span: Span, string: nodes.Str) -> AttrName:
        return _attribute_name(string, span)

    def dynamic_name(self, span: Span, dollar: int, expr: Expr, brace: int) -> AttrName:
        return _attribute_name(expr, span)


@cache
def binary(operator: BinaryOp) -> Callable[[Builder, Span, Expr, int, Expr], nodes.Binary]:
    """The method for `left operator right`."""
    length = len(operator)

    def build(builder: Builder, span: Span, left: Expr, at: int, right: Expr) -> nodes.Binary:
        return nodes.Binary(operator, left, right, span, Span(at, at + length))

    return build


@cache
def unary(operator: UnaryOp) -> Callable[[Builder, Span, int, Expr], nodes.Unary]:
    """The method for `operator operand`."""
    return lambda builder, span, at, operand: nodes.Unary(operator, operand, span)


def _refuse_duplicates(formals: nodes.Formals, name: nodes.StaticName | None) -> None:
    """Raises `ParseError` where two arguments have one name: at the second of the first such name."""
    places: dict[str, list[Span]] = {}
    for entry in formals.entries:
        places.setdefault(entry.name, []).append(entry.span)
    if len(places) < len(formals.entries):
        twice = next(text for text, spans in places.items() if len(spans) > 1)
        raise _duplicate(twice, places[twice][1])
    if name is not None and name.text in places:
        raise _duplicate(name.text, name.span)


def _duplicate(name: str, span: Span) -> ParseError:
    return ParseError(f"duplicate formal function argument '{name}'", span=span)


def _joined(pieces: Sequence[str | Expr]) -> tuple[str | Expr, ...]:
    """The parts of a string: texts that meet are one, decoded; empty ones are left out."""
    parts: list[str | Expr] = []
    texts: list[str] = []
    for piece in pieces:
        if isinstance(piece, str):
            texts.append(piece)
            continue
        if text := "".join(texts):
            parts.append(decode(text))
        texts.clear()
        parts.append(piece)
    if text := "".join(texts):
        parts.append(decode(text))
    return tuple(parts)


def _without_nesting(parts: tuple[str | Expr, ...]) -> tuple[str | Expr, ...]:
    """The parts of an indented string; `''${"a"}''` is the string inside, to Nix."""
    match parts:
        case (nodes.Str(parts=() | (str(),) as inner),):
            return inner
        case (nodes.Uri(text=text),):
            return (text,)
    return parts


def _attribute_name(expr: Expr, span: Span) -> AttrName:
    if isinstance(expr, nodes.Str):
        match expr.parts:
            case ():
                return nodes.StaticName("", span)
            case (str(text),):
                return nodes.StaticName(text, span)
    return nodes.DynamicName(expr, span)


def _static(names: list[AttrName]) -> tuple[nodes.StaticName, ...]:
    for name in names:
        if isinstance(name, nodes.DynamicName):
            raise ParseError("dynamic attributes not allowed in inherit", span=name.span)
    return cast(tuple[nodes.StaticName, ...], tuple(names))
