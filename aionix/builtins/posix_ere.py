"""POSIX extended regular expressions, as `std::regex::extended` of libstdc++ reads them, for RE2.

`translate` parses a pattern and writes an equivalent RE2 one; what libstdc++ refuses is a
`PatternError`. C++ Nix inherits three habits of that library, which decide what comes out:

- Patterns and texts are bytes, of `signed char`: `[a-\\xff]` is a range upside down.
- Quantifiers are greedy and alternatives are tried from the left, as in Perl; only *searching*
  goes on to compare the alternatives' lengths. `Translation.ordered` says where that matters.
- A loop whose body can match nothing does so once more before it ends, so that `(a*)*` on "a"
  captures "". The body's empty form is written out behind the loop for that.

Patterns are latin-1 text, one character per byte.
"""

from __future__ import annotations

import string
from typing import NamedTuple

STATE_LIMIT = 100_000  # libstdc++'s _GLIBCXX_REGEX_STATE_LIMIT
TEXT_LIMIT = 4_000_000  # of the RE2 pattern: some 20 bytes a state, with room to spare
DEPTH_LIMIT = 200  # of groups in each other; RE2 gives up at 1000 levels of its own
REPEAT_LIMIT = 1000  # RE2's, for nested repetitions multiplied
UNBOUNDED = 1 << 62

_SPECIAL = frozenset(".[\\()*+?{|^$")
_LITERAL = frozenset(string.ascii_letters + string.digits)


class PatternError(Exception):
    """The pattern is not one."""


class PatternTooLarge(Exception):
    """The pattern means more states than libstdc++ would make."""


class Empty(NamedTuple):
    """The way through a node that consumes nothing."""

    text: str
    groups: tuple[int, ...]


NOWHERE = Empty("", ())


class Node(NamedTuple):
    """A part of the pattern, already in RE2's words, with what its surroundings must know."""

    text: str
    groups: tuple[int, ...] = ()  # the group that each "(" of `text` stands for, in their order
    shortest: int = 0
    longest: int = 0
    states: int = 1
    weight: int = 1  # nested repetition counts, multiplied
    empty: Empty = NOWHERE  # meaningful if `shortest` is 0
    ordered: bool = True  # no two alternatives of different lengths


class Translation(NamedTuple):
    """`pattern` for RE2, and for each group its RE2 groups: the last one that took part counts."""

    pattern: bytes
    captures: tuple[tuple[int, ...], ...]
    ordered: bool


def translate(pattern: str) -> Translation:
    """Raises PatternError and PatternTooLarge."""
    parser = _Parser(pattern)
    node = parser.disjunction()
    if parser.at < len(pattern):
        raise PatternError
    if node.states > STATE_LIMIT:
        raise PatternTooLarge
    captures: list[list[int]] = [[] for _ in range(parser.group_count)]
    for number, group in enumerate(node.groups, 1):
        captures[group].append(number)
    return Translation(node.text.encode("latin-1"), tuple([tuple(each) for each in captures]), node.ordered)


class _Parser:
    """Recursive descent; one method per rule of the grammar."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.group_count = 0
        self.depth = 0

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def take(self, text: str) -> bool:
        if not self.pattern.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def next(self) -> str:
        char = self.peek()
        if not char:
            raise PatternError
        self.at += 1
        return char

    def disjunction(self) -> Node:
        """a|b"""
        branches = [self.alternative()]
        while self.take("|"):
            branches.append(self.alternative())
        return _either(branches)

    def alternative(self) -> Node:
        """ab"""
        terms: list[Node] = []
        while (term := self.term()) is not None:
            terms.append(term)
        return _sequence(terms)

    def term(self) -> Node | None:
        """An assertion, or an atom with its quantifiers; None where neither begins."""
        if self.take("^"):
            return Node("\\A", empty=Empty("\\A", ()))
        if self.take("$"):
            return Node("\\z", empty=Empty("\\z", ()))
        node = self.atom()
        while node is not None and (bounds := self.quantifier()) is not None:
            node = _repeat(node, *bounds)
        return node

    def atom(self) -> Node | None:
        char = self.peek()
        if not char or char in "*+?{|)":
            return None
        self.at += 1
        if char == "(":
            return self.group()
        if char == ".":
            return Node(".", shortest=1, longest=1)
        if char == "[":
            return self.bracket()
        if char == "\\":
            char = self.next()
            if char not in _SPECIAL:
                raise PatternError
        return Node(_literal(char), shortest=1, longest=1)

    def group(self) -> Node:
        number = self.group_count
        self.group_count += 1
        self.depth += 1
        if self.depth > DEPTH_LIMIT:
            raise PatternTooLarge
        inner = self.disjunction()
        self.depth -= 1
        if not self.take(")"):
            raise PatternError
        return Node(
            f"({inner.text})",
            (number, *inner.groups),
            inner.shortest,
            inner.longest,
            inner.states + 2,
            inner.weight,
            Empty(f"({inner.empty.text})", (number, *inner.empty.groups)),
            inner.ordered,
        )

    def quantifier(self) -> tuple[int, int] | None:
        """How often at least and at most."""
        if self.take("*"):
            return 0, UNBOUNDED
        if self.take("+"):
            return 1, UNBOUNDED
        if self.take("?"):
            return 0, 1
        if not self.take("{"):
            return None
        least = most = self.number()
        if self.take(","):
            most = self.number() if self.peek().isdigit() else UNBOUNDED
        if not self.take("}") or most < least:
            raise PatternError
        return least, most

    def number(self) -> int:
        start = self.at
        while self.peek() in _DIGITS:
            self.at += 1
        digits = self.pattern[start : self.at]
        if not digits or len(digits.lstrip("0")) > 19 or int(digits) > 2**63 - 1:
            raise PatternError
        return int(digits)

    def bracket(self) -> Node:
        """[...]: see `_Bracket`."""
        negated = self.take("^")
        members = _Bracket(self).members()
        if negated:
            members = frozenset(range(256)) - members
        return Node(_class_text(members), shortest=1, longest=1)


_DIGITS = frozenset(string.digits)


class _Bracket:
    """The inside of `[...]`, up to and with its `]`."""

    def __init__(self, parser: _Parser) -> None:
        self.parser = parser
        self.found: set[int] = set()
        #: The last item, if it may begin a range; "class" if it must not.
        self.last: str | None = None

    def members(self) -> frozenset[int]:
        parser = self.parser
        if parser.take("]"):
            self.last = "]"
        elif parser.take("-"):
            self.last = "-"
        while not parser.take("]"):
            self.item()
        self.flush()
        return frozenset(self.found)

    def flush(self) -> None:
        if self.last is not None and self.last != "class":
            self.found.add(ord(self.last))

    def char(self, char: str) -> None:
        self.flush()
        self.last = char

    def item(self) -> None:
        parser = self.parser
        if parser.take("[:"):
            self.many(_class_named(self.name(":]")))
        elif parser.take("[="):
            wanted = _collating(self.name("=]")).lower()
            self.many({byte for byte in range(128) if chr(byte).lower() == wanted})
        elif parser.take("[."):
            self.char(_collating(self.name(".]")))
        elif parser.take("-"):
            self.dash()
        else:
            self.char(parser.next())

    def many(self, members: set[int]) -> None:
        self.flush()
        self.last = "class"
        self.found |= members

    def name(self, end: str) -> str:
        parser = self.parser
        stop = parser.pattern.find(end[0], parser.at)
        name = parser.pattern[parser.at : stop]
        parser.at = max(stop, parser.at)
        if not parser.take(end):
            raise PatternError
        return name

    def dash(self) -> None:
        parser = self.parser
        if parser.peek() == "]":
            self.char("-")
        elif self.last is None or self.last == "class" or parser.pattern.startswith(_OPENINGS, parser.at):
            raise PatternError
        else:
            self.range(self.last, parser.next())
            self.last = None

    def range(self, first: str, last: str) -> None:
        low, high = _signed(first), _signed(last)
        if low > high:
            raise PatternError
        self.found.update([value % 256 for value in range(low, high + 1)])


_OPENINGS = ("[:", "[=", "[.")


def _signed(char: str) -> int:
    """The byte as C's `char` on x86-64 has it."""
    return (ord(char) + 128) % 256 - 128


def _literal(char: str) -> str:
    return char if char in _LITERAL else f"\\x{ord(char):02x}"


def _class_text(members: frozenset[int]) -> str:
    if not members:
        return "[^\\x00-\\xff]"
    return "[" + "".join([f"\\x{first:02x}-\\x{last:02x}" for first, last in _runs(sorted(members))]) + "]"


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def _sequence(terms: list[Node]) -> Node:
    return Node(
        "".join([term.text for term in terms]),
        tuple([group for term in terms for group in term.groups]),
        sum([term.shortest for term in terms]),
        min(UNBOUNDED, sum([term.longest for term in terms])),
        max(1, sum([term.states for term in terms])),
        max([term.weight for term in terms], default=1),
        Empty(
            "".join([term.empty.text for term in terms]),
            tuple([group for term in terms for group in term.empty.groups]),
        ),
        all([term.ordered for term in terms]),
    )


def _either(branches: list[Node]) -> Node:
    if len(branches) == 1:
        return branches[0]
    lengths = {length for branch in branches for length in (branch.shortest, branch.longest)}
    nullable = [branch.empty for branch in branches if branch.shortest == 0]
    return Node(
        "(?:" + "|".join([branch.text for branch in branches]) + ")",
        tuple([group for branch in branches for group in branch.groups]),
        min(lengths),
        max(lengths),
        sum([branch.states for branch in branches]) + 2 * (len(branches) - 1),
        max([branch.weight for branch in branches]),
        Empty(
            "(?:" + "|".join([empty.text for empty in nullable]) + ")",
            tuple([group for empty in nullable for group in empty.groups]),
        ),
        len(lengths) == 1 and all([branch.ordered for branch in branches]),
    )


def _repeat(node: Node, least: int, most: int) -> Node:
    """`node{least,most}`, within RE2's bounds on counts."""
    copies = least + 1 if most == UNBOUNDED else most
    states = max(1, copies * (node.states + (least == 0 or most != least)) + 1)
    if states > STATE_LIMIT or len(node.text) * max(1, copies * node.weight // REPEAT_LIMIT) > TEXT_LIMIT:
        raise PatternTooLarge
    item = f"(?:{node.text})"
    chunk = REPEAT_LIMIT // node.weight
    parts: list[str] = []
    for _ in range(least // chunk):
        parts.append(f"{item}{{{chunk}}}")
    if least % chunk:
        parts.append(f"{item}{{{least % chunk}}}")
    if most == UNBOUNDED:
        parts.append(f"{item}*")
    else:
        for _ in range((most - least) // chunk):
            parts.append(f"{item}{{0,{chunk}}}")
        if (most - least) % chunk:
            parts.append(f"{item}{{0,{(most - least) % chunk}}}")
    groups = node.groups * len(parts)
    text = "".join(parts)
    empty = node.empty if node.shortest == 0 and most > 0 else NOWHERE
    if node.shortest == 0 and most == UNBOUNDED and empty.groups:
        text += f"(?:{empty.text})?"
        groups += empty.groups
    return Node(
        text,
        groups,
        min(UNBOUNDED, node.shortest * least),
        min(UNBOUNDED, node.longest * most),
        states,
        min(chunk, max(least, most if most != UNBOUNDED else 1, 1)) * node.weight,
        Empty(f"(?:{empty.text})?", empty.groups),
        node.ordered,
    )


def _class_named(name: str) -> set[int]:
    try:
        return _CLASSES[name.lower()]
    except KeyError:
        raise PatternError from None


def _collating(name: str) -> str:
    """The character that a collating symbol of the C locale names."""
    if len(name) == 1 and name.isascii() and name.isalpha():
        return name
    if len(name) == 1:
        raise PatternError
    try:
        return chr(_COLLATING_NAMES.index(name))
    except ValueError:
        raise PatternError from None


def _bytes(text: str) -> set[int]:
    return set(text.encode())


_ALNUM = _bytes(string.ascii_letters + string.digits)
_PUNCT = _bytes(string.punctuation)
_CLASSES = {
    "alnum": _ALNUM,
    "alpha": _bytes(string.ascii_letters),
    "blank": _bytes(" \t"),
    "cntrl": {*range(32), 127},
    "digit": _bytes(string.digits),
    "graph": _ALNUM | _PUNCT,
    "lower": _bytes(string.ascii_lowercase),
    "print": _ALNUM | _PUNCT | {32},
    "punct": _PUNCT,
    "space": _bytes(" \t\n\v\f\r"),
    "upper": _bytes(string.ascii_uppercase),
    "xdigit": _bytes(string.hexdigits),
    # libstdc++ lets ECMAScript's three into brackets.
    "d": _bytes(string.digits),
    "s": _bytes(" \t\n\v\f\r"),
    "w": _ALNUM | {95},
}

# The names of the portable character set, POSIX.1-2017 section 6.1, in the order of ASCII.
# Letters, which name themselves, stand as "-".
_COLLATING_NAMES = (
    "NUL SOH STX ETX EOT ENQ ACK alert backspace tab newline vertical-tab form-feed carriage-return"
    " SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC IS4 IS3 IS2 IS1 space exclamation-mark"
    " quotation-mark number-sign dollar-sign percent-sign ampersand apostrophe left-parenthesis"
    " right-parenthesis asterisk plus-sign comma hyphen period slash zero one two three four five six"
    " seven eight nine colon semicolon less-than-sign equals-sign greater-than-sign question-mark"
    " commercial-at" + " -" * 26 + " left-square-bracket backslash right-square-bracket circumflex"
    " underscore grave-accent" + " -" * 26 + " left-curly-bracket vertical-line right-curly-bracket"
    " tilde DEL"
).split()
