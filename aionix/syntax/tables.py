"""The parse tables of `nix.lark`.

lark computes them, which takes 0.2 s with its import, so a wheel brings them along as JSON,
which is read in 2 ms. In a checkout they are kept in the user's cache directory, under the
hash of the grammar. A file that cannot be read, or does not match its checksum, is made
again; one that cannot be written is not.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

_FORMAT = 1  # of the file; part of its name
_GRAMMAR = Path(__file__).with_name("nix.lark")
_PACKAGED = _GRAMMAR.with_name("nix.tables.json")

#: What `rows[state].get(symbol)` holds: a state to go to, or the bitwise complement of a rule.
Action: TypeAlias = int


class Rule(NamedTuple):
    """`left` is made of the last `length` symbols; `name` says how, empty if nothing is built.

    `operator` is the text of the second symbol of a binary rule, of the first of a unary one.
    """

    left: int
    length: int
    name: str
    operator: str


@dataclass(slots=True)
class Tables:
    """A LALR(1) automaton. Symbols are numbers; `symbols` has their names, terminals first, in the
    order of the grammar. `literals` are the terminals that are always the same text."""

    symbols: list[str]
    terminal_count: int
    literals: dict[str, int]
    rules: list[Rule]
    rows: list[dict[int, Action]]
    start: int
    #: (state, rule of one symbol without a name) are passed through at once, see `settle`.
    _settled: dict[int, tuple[int, Action | None]] = field(default_factory=dict)

    def settle(self, key: int) -> tuple[int, Action | None]:
        """Where the automaton stands, and what it does next, after a symbol was made.

        `key` is `state << 16 | symbol << 8 | next terminal`. Rules that only pass a value on are
        followed here, once for all parses: the layers of precedence cost nothing.
        """
        exposed, symbol, terminal = key >> 16, key >> 8 & 255, key & 255
        while True:
            state = self.rows[exposed][symbol]
            action = self.rows[state].get(terminal)
            if action is None or action >= 0:
                break
            rule = self.rules[~action]
            if rule.length != 1 or rule.name:
                break
            symbol = rule.left
        self._settled[key] = state, action
        return state, action

    @property
    def settled(self) -> dict[int, tuple[int, Action | None]]:
        """The answers of `settle` so far."""
        return self._settled


@cache
def load() -> Tables:
    """The tables: those of the wheel, or from the cache, or made now."""
    packaged = _read(_PACKAGED)
    if packaged is not None:
        return _tables(packaged)
    grammar = _GRAMMAR.read_bytes()
    path = _cache_directory() / f"grammar-{_FORMAT}-{hashlib.sha256(grammar).hexdigest()[:32]}.json"
    plain = _read(path)
    if plain is None:
        plain = _compute(grammar.decode())
        _write(path, plain)
    return _tables(plain)


def _cache_directory() -> Path:
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    else:
        base = os.environ.get("XDG_CACHE_HOME")
    return Path(base or os.path.expanduser("~/.cache")) / "aionix"


def _read(path: Path) -> Any:
    try:
        checksum, _, text = path.read_bytes().partition(b"\n")
        if hashlib.sha256(text).hexdigest().encode() != checksum:
            return None
        return json.loads(text)
    except (OSError, ValueError):
        return None


def compute_into(path: Path) -> None:
    """Writes the tables to `path`: what building a wheel does."""
    _write(path, _compute(_GRAMMAR.read_text()))


def _write(path: Path, plain: Any) -> None:
    text = json.dumps(plain, separators=(",", ":")).encode()
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "xb") as file:
            file.write(hashlib.sha256(text).hexdigest().encode() + b"\n" + text)
        os.replace(temporary, path)
    except OSError:
        return


def _tables(plain: Any) -> Tables:
    return Tables(
        plain["symbols"],
        plain["terminal_count"],
        plain["literals"],
        [Rule(*rule) for rule in plain["rules"]],
        [dict(row) for row in plain["rows"]],
        plain["start"],
    )


def _compute(grammar: str) -> Any:
    from lark import Lark
    from lark.lexer import Lexer
    from lark.parsers.lalr_analysis import Shift

    class NoLexer(Lexer):
        def __init__(self, configuration: object) -> None: ...

        def lex(self, state: object, parser: object) -> Any: ...

    # `strict` makes a conflict in the grammar an error.
    lark = Lark(grammar, parser="lalr", lexer=NoLexer, strict=True)
    table = lark.parser.parser._parse_table  # lark has no public way
    texts = {terminal.name: terminal.pattern.value for terminal in lark.terminals}
    terminals = _in_order(grammar, {text: name for name, text in texts.items()})
    nonterminals = list(dict.fromkeys(str(rule.origin.name) for rule in lark.rules))
    number = {name: at for at, name in enumerate([*terminals, *nonterminals])}
    states = {name: at for at, name in enumerate(table.states)}
    rules = {rule: at for at, rule in enumerate(lark.rules)}

    def plain_rule(rule: Any) -> Rule:
        operator = {"binary": 1, "unary": 0}.get(rule.alias)
        text = "" if operator is None else texts[rule.expansion[operator].name]
        return Rule(number[rule.origin.name], len(rule.expansion), rule.alias or "", text)

    def plain_action(action: Any, argument: Any) -> Action:
        return states[argument] if action is Shift else ~rules[argument]

    rows = [
        [(number[symbol], plain_action(*action)) for symbol, action in row.items()]
        for row in table.states.values()
    ]
    end = states[table.end_states["start"]]
    rows[end].append((number["$END"], end))  # lark stops here, we shift the end first
    return {
        "symbols": list(number),
        "terminal_count": len(terminals),
        "literals": {text: number[name] for name, text in texts.items()},
        "rules": [plain_rule(rule) for rule in lark.rules],
        "rows": rows,
        "start": states[table.start_states["start"]],
    }


def _in_order(grammar: str, names: dict[str, str]) -> list[str]:
    """The terminals as they first appear in the grammar, where `"x"` stands for `names["x"]`."""
    code = re.sub(r"(?m)^\s*//.*", "", grammar)
    found = re.findall(r'\b[A-Z][A-Z_]+\b|"(?:\\.|[^"\\])+"', code)
    ordered = [names[json.loads(text)] if text[0] == '"' else text for text in found]
    return [*dict.fromkeys(ordered), "$END"]
