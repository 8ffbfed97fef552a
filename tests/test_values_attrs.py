"""Where the attributes of a set were written, whatever was done to the set."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aionix.source import Span
from aionix.values.attrs import MANY, AttrSet, Positions, update, without

NAMES = "abcd"


def literal(names: str, start: int) -> AttrSet:
    result = AttrSet(dict.fromkeys(names, 0))
    result.positions = {name: Span(start, start + at) for at, name in enumerate(names)}
    return result


def removed(attrs: AttrSet, names: str) -> AttrSet:
    result = AttrSet({name: value for name, value in attrs.items() if name not in names})
    result.positions = without(attrs.positions, names)
    return result


def tables(positions: Positions) -> int:
    count, pending, seen = 0, [positions], set[int]()
    while pending:
        table = pending.pop()
        if table is not None and id(table) not in seen:
            seen.add(id(table))
            count += 1
            pending += table if isinstance(table, tuple) else [getattr(table, "positions", None)]
    return count


some_names = st.text(NAMES, max_size=3).map(lambda text: "".join(dict.fromkeys(text)))


@given(st.lists(st.tuples(st.sampled_from("/\\-"), some_names), max_size=60))
def test_positions_are_those_of_whoever_wrote_the_attribute(steps: list[tuple[str, str]]) -> None:
    attrs, expected = literal("", 0), dict[str, Span | None]()
    for start, (kind, names) in enumerate(steps, 1):
        other = literal(names, 100 * start)
        theirs = {name: other.position_of(name) for name in names}
        if kind == "/":
            attrs, expected = update(attrs, other), expected | theirs
        elif kind == "\\":
            attrs, expected = update(other, attrs), theirs | expected
        else:
            attrs = removed(attrs, names)
            expected = {name: span for name, span in expected.items() if name not in names}
    assert {name: attrs.position_of(name) for name in NAMES} == {name: expected.get(name) for name in NAMES}


def test_what_is_removed_again_and_again_leaves_few_tables() -> None:
    attrs = literal("ab", 0)
    for round in range(10 * MANY):
        attrs = removed(update(attrs, literal("a", round)), "a")
    assert tables(attrs.positions) <= 3 * MANY
    assert (attrs.position_of("a"), attrs.position_of("b")) == (None, Span(0, 1))


def test_what_is_merged_with_itself_is_looked_through_once() -> None:
    attrs, removals = literal("a", 0), literal("a", 0)
    for round in range(64):
        attrs = update(attrs, update(attrs, literal("b", round)))
        removals = update(removals, removed(removals, "cd"[round % 2]))
    assert (attrs.position_of("b"), attrs.position_of("z")) == (Span(63, 63), None)
    assert (removals.position_of("a"), removals.position_of("z")) == (Span(0, 0), None)
    assert removed(attrs, "a").position_of("b") == Span(63, 63)


def test_the_same_literal_again_and_again_is_one_table() -> None:
    attrs, other = literal("a", 0), literal("b", 1)
    for _ in range(1000):
        attrs = update(attrs, other)
    assert tables(attrs.positions) == 3
