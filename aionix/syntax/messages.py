"""What a syntax error says.

Nix has its messages from bison, and so they read here: what was found, and what could have stood
there, if that is at most four things. bison asks that after it has reduced by the *default
rule* of each state that has one, whatever comes next; so do we, on a copy of the stack.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from aionix.errors import ParseError
from aionix.source import Source, Span
from aionix.syntax.lexer import INVALID, Token
from aionix.syntax.tables import Rule, Tables

#: What Nix calls a terminal that it does not have, or that this parser has twice.
_NAMES: Final = {
    "STRING": "'\"'",
    "IND_STRING": "IND_STRING_OPEN",
    "PATH_OPEN": "PATH",
    "HPATH_OPEN": "HPATH",
    "$END": "end of file",
}
_MOST_EXPECTED: Final = 4
_UNFINISHED: Final = {
    "'\"'": "a string is not closed",
    "')'": "a `(` is not closed",
    "'}'": "a `{` or `${` is not closed",
    "';'": "did you forget a `;`?",
    "THEN": "an `if` has no `then`",
    "ELSE": "an `if` has no `else`",
}
_COMPARISONS: Final = frozenset(["EQ", "NEQ", "'<'", "'>'", "LEQ", "GEQ"])
#: Operators that do not associate: `a == b != c` has no meaning.
_NOT_ASSOCIATIVE: Final = ({"==", "!="}, {"<", "<=", ">", ">="})


def syntax_error(source: Source, tables: Tables, states: list[int], token: Token) -> ParseError:
    """The error of a `token` that nothing in the automaton's top state allows."""
    kind, _, start, end = token
    found = _name(tables, kind)
    message = f"syntax error, unexpected {found}"
    expected = _expected(tables, list(states), kind)
    if 0 < len(expected) <= _MOST_EXPECTED:
        message += f", expecting {' or '.join(expected)}"
    local = start - source.base
    hint = _hint(expected, found, source.text[max(local - 100, 0) : local + 1])
    return ParseError(message, span=Span(start, end), hint=hint)


def _expected(tables: Tables, states: list[int], kind: int) -> list[str]:
    """What may stand here, in the order of the grammar; nothing if that is no help."""
    while rule := _default_rule(tables, tables.rows[states[-1]]):
        if _chains(tables, rule, kind):
            return []  # bison knows better here than the operators that could follow, and lists none
        if rule.length:
            del states[-rule.length :]
        states.append(tables.rows[states[-1]][rule.left])
    terminals = sorted(symbol for symbol in tables.rows[states[-1]] if symbol < tables.terminal_count)
    return list(dict.fromkeys(_name(tables, terminal) for terminal in terminals))


def _default_rule(tables: Tables, row: dict[int, int]) -> Rule | None:
    """The rule by which a state reduces most often, the first one of equals."""
    rules = Counter(sorted(~action for action in row.values() if action < 0))
    return tables.rules[rules.most_common(1)[0][0]] if rules else None


def _chains(tables: Tables, rule: Rule, kind: int) -> bool:
    """Does the token go on where an operator that does not associate has just been?"""
    text = next((text for text, number in tables.literals.items() if number == kind), None)
    return any(rule.operator in level and text in level for level in _NOT_ASSOCIATIVE)


def _name(tables: Tables, kind: int) -> str:
    if kind == INVALID:
        return "invalid token"
    name = tables.symbols[kind]
    for text, number in tables.literals.items():
        if number == kind and len(text) == 1:
            return f"'{text}'"
    return _NAMES.get(name, name)


def _hint(expected: list[str], found: str, nearby: str) -> str | None:
    """What the author probably meant. `nearby` is the text before the token, and its first character."""
    if expected == ["'{'"] and nearby[:-1].rstrip().endswith("let"):
        return "`let ... in ...` needs parentheses here"
    if found == "invalid token" and nearby.endswith("'"):
        return "strings are written in double quotes"
    if found == "end of file" and len(expected) == 1:
        return _UNFINISHED.get(expected[0])
    if not expected and found in _COMPARISONS:
        return "comparisons cannot follow each other; parentheses say which comes first"
    return "did you forget a `;`?" if expected == ["';'"] else None
