"""Tokens into a tree: the LALR automaton of `tables.py`, driven in one loop.

There is no parse tree: each rule calls a method of `Builder` with the values of its symbols as soon as
it is complete. Nothing here recurses, so nesting is bounded by memory alone.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

from aionix.source import Source, Span
from aionix.syntax import lexer, tables
from aionix.syntax.builder import Builder, binary, unary
from aionix.syntax.messages import syntax_error
from aionix.syntax.nodes import Expr
from aionix.syntax.options import ParseOptions
from aionix.syntax.tables import Rule

_TOKENS_PER_TURN = 500
_DEFAULT = ParseOptions()

_Build: TypeAlias = Callable[..., object]


def parse(
    source: Source,
    options: ParseOptions = _DEFAULT,
    *,
    checkpoint: Callable[[], None] | None = None,
) -> Expr:
    """The expression that `source` holds; attribute paths and sets as written.

    Calls `checkpoint` every 500 tokens, about two milliseconds. Raises `ParseError` for the first
    mistake, and `LiteralError` for a number that does not fit.
    """
    if not gc.isenabled():
        return _parse(source, options, checkpoint)
    # Nothing here is garbage before it is done, and to go through it again and again takes half of the
    # time: 1.1 MB/s against 2.3 on a file of 2 MB. While a checkpoint runs, collection is on.
    gc.disable()
    try:
        return _parse(source, options, checkpoint and _collecting(checkpoint))
    finally:
        gc.enable()


def _collecting(checkpoint: Callable[[], None]) -> Callable[[], None]:
    def with_collection() -> None:
        gc.enable()
        checkpoint()
        gc.disable()

    return with_collection


def _parse(source: Source, options: ParseOptions, checkpoint: Callable[[], None] | None) -> Expr:
    automaton = tables.load()
    rules, builder = _rules(), Builder(options, source)
    rows, settle, settled = automaton.rows, automaton.settle, automaton.settled.get
    new = tuple.__new__
    states: list[int] = [automaton.start]
    values: list[Any] = [None]
    starts = [0]
    done = 0  # where the last token ended
    turn = _TOKENS_PER_TURN
    row = rows[automaton.start]
    for kind, value, start, end in lexer.tokens(source, automaton, pipe_operators=options.pipe_operators):
        action = row.get(kind)
        while action is None or action < 0:
            if action is None:
                raise syntax_error(source, automaton, states, (kind, value, start, end))
            left, length, build = rules[action]
            if build is None:  # the first value is a list, the last one its next item
                values[-length].append(values[-1])
                del states[-length:], values[1 - length :], starts[1 - length :]
            elif length == 1:
                values[-1] = build(builder, new(Span, (starts[-1], done)), values[-1])
                states.pop()
            elif length:
                made = build(builder, new(Span, (starts[-length], done)), *values[-length:])
                del states[-length:], values[1 - length :], starts[1 - length :]
                values[-1] = made
            else:
                values.append([])
                starts.append(start)
            key = states[-1] << 16 | left << 8 | kind
            state, action = settled(key) or settle(key)
            states.append(state)
        states.append(action)
        values.append(value)
        starts.append(start)
        row = rows[action]
        done = end
        turn -= 1
        if not turn:
            turn = _TOKENS_PER_TURN
            if checkpoint is not None:
                checkpoint()
    expression: Expr = values[1]
    return expression


@cache
def _rules() -> list[tuple[int, int, _Build | None]]:
    """For each rule its left side, its length and what builds it; an action is an index into this list."""
    return [(rule.left, rule.length, _build(rule)) for rule in reversed(tables.load().rules)]


def _build(rule: Rule) -> _Build | None:
    if rule.name in ("", "append", "empty"):
        return None if rule.name == "append" else _first
    if rule.name == "begin":
        return _begin
    if rule.operator:
        return (binary if rule.length == 3 else unary)(rule.operator)
    build: _Build = getattr(Builder, rule.name)
    return build


def _first(builder: Builder, span: Span, value: object) -> object:
    return value


def _begin(builder: Builder, span: Span, value: object) -> list[object]:
    return [value]
