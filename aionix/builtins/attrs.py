"""Attribute sets. Results keep what is known about where their attributes were written."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aionix.builtins.loops import SHORT, binary, entry_for, stretches
from aionix.builtins.mapped import Apply, consumes_map
from aionix.builtins.registry import (
    Function,
    Lazy,
    List,
    PlainStr,
    builtin,
    expect_attrs,
    expect_plain_str,
)
from aionix.errors import MissingAttribute
from aionix.native.known import inner_of
from aionix.source import SourceMap, Span
from aionix.values.attrs import AttrSet, Positions, sorted_names, without
from aionix.values.limits import check_list, check_set
from aionix.values.printing import show_name
from aionix.values.thunk import Entry, Thunk, Value, current_fiber, evaluated, force, native
from aionix.values.walk import FEW, begin, end
from aionix.vm.operations import closed


@builtin("attrNames")
def attr_names(attrs: AttrSet) -> Value:
    """The names of the set's attributes, sorted by their bytes."""
    check_list(len(attrs))
    return tuple(sorted_names(attrs))


@builtin("attrValues")
def attr_values(attrs: AttrSet) -> Value:
    """The values of the set's attributes, in the order of their names."""
    check_list(len(attrs))
    return tuple([attrs[name] for name in sorted_names(attrs)])


@builtin("getAttr")
def get_attr(name: PlainStr, attrs: AttrSet) -> Value:
    """The attribute `name` of the set: `.` with a computed name. A missing one is an error."""
    return force(require(attrs, name))


def require(attrs: AttrSet, name: str) -> Value:
    """The attribute, not forced; raises MissingAttribute."""
    try:
        return attrs[name]
    except KeyError:
        raise MissingAttribute(f"attribute '{show_name(name)}' missing") from None


@builtin("hasAttr")
def has_attr(name: PlainStr, attrs: AttrSet) -> bool:
    """Whether the set has an attribute `name`: `?` with a computed name."""
    return name in attrs


@builtin("removeAttrs")
def remove_attrs(attrs: AttrSet, names: List) -> Value:
    """The set without the attributes that are listed; names that it does not have do no harm."""
    gone: list[str] = []
    for name in names:
        plain = name if type(name) is str else expect_plain_str(name)
        if plain in attrs:
            gone.append(plain)
    check_set(len(attrs))
    result = AttrSet(attrs)
    for name in gone:
        result.pop(name, None)
    positions = getattr(attrs, "positions", None)
    if positions is not None:
        result.positions = without(positions, gone) if gone else positions
    return result


@builtin("listToAttrs")
def list_to_attrs(pairs: List) -> Value:
    """The set with an attribute for each `{ name = ...; value = ...; }` of the list. Of several
    with the same name, the first counts."""
    return _from_pairs(pairs, None)


def _from_pairs(pairs: tuple[Value, ...], apply: Apply) -> AttrSet:
    if apply is not None or len(pairs) <= FEW:
        return _attributes(pairs, apply)
    walks = begin([iter(pairs)], _parts_of_pair)
    try:
        return _attributes(pairs)
    finally:
        end(walks)


consumes_map("listToAttrs", _from_pairs)


def _parts_of_pair(pair: tuple[Value, ...] | AttrSet) -> tuple[Value, ...]:
    return (pair["name"],) if isinstance(pair, AttrSet) and "name" in pair else ()


def _attributes(pairs: tuple[Value, ...], apply: Apply = None) -> AttrSet:
    result = AttrSet()
    spans: dict[str, Span] = {}
    last: Positions = None
    span: Span | None = None
    for stretch in stretches(pairs):
        for pair in stretch:
            if apply is not None:
                pair = apply(pair)
            elif type(pair) is list:
                pair = pair[1] if pair[0] is None else pair[0](pair)
            if type(pair) is not AttrSet:
                pair = expect_attrs(pair)
            name = pair["name"] if "name" in pair else require(pair, "name")
            if type(name) is not str:
                name = expect_plain_str(name)
            if name not in result:
                result[name] = pair["value"] if "value" in pair else require(pair, "value")
                positions = getattr(pair, "positions", None)
                if positions is not last:  # those of one place in the source share them
                    last, span = positions, pair.position_of("value")
                if span is not None:
                    spans[name] = span
    if spans:
        result.positions = spans
    return result


@builtin("catAttrs")
def cat_attrs(name: PlainStr, sets: List) -> Value:
    """The values of the attribute `name` of those sets in the list that have it."""
    values: list[Value] = []
    for stretch in stretches(sets):
        for attrs in stretch:
            if type(attrs) is not AttrSet:
                attrs = expect_attrs(attrs)
            if name in attrs:
                values.append(attrs[name])
    return tuple(values)


@builtin("intersectAttrs")
def intersect_attrs(names: AttrSet, attrs: AttrSet) -> Value:
    """The attributes of the second set whose names are in the first set too."""
    check_set(min(len(names), len(attrs)))
    if len(names) < len(attrs):
        result = AttrSet({name: attrs[name] for name in names if name in attrs})
    else:
        result = AttrSet({name: value for name, value in attrs.items() if name in names})
    positions = getattr(attrs, "positions", None)
    if positions is not None:
        result.positions = positions
    return result


@builtin("mapAttrs")
def map_attrs(function: Lazy, attrs: AttrSet) -> Value:
    """The set with the same names whose values are `function name value`, computed when asked."""
    return _delayed_calls(function, attrs)


def _delayed_calls(function: Value, members: Mapping[str, Value]) -> AttrSet:
    """Thunks for `function name value`, for each of `members`; `function` may be lazy."""
    thunk = function if type(function) is list and function[0] is closed else None
    known = evaluated(function) if thunk is None else thunk[1]
    inner = inner_of(known) if len(members) < SHORT else None
    if inner is not None:
        unit, before, after = inner
        enter = unit.applied if thunk is None else _opening(thunk, unit.applied)
        if after is None:
            result = AttrSet({name: [enter, (before, value)] for name, value in members.items()})
        else:
            result = AttrSet(
                {name: [enter, ((*before, name, *after), value)] for name, value in members.items()}
            )
    else:
        enter = entry_for(_of_pair(function))
        result = AttrSet()
        for stretch in stretches([*members]):
            result.update({name: [enter, (name, members[name])] for name in stretch})
    result.positions = None
    return result


def _opening(function: Thunk, enter: Entry) -> Entry:
    """As `enter`, but it evaluates the thunk around the function that it calls, for that can be seen."""

    def open_and_enter(thunk: Thunk) -> Value:
        force(function)
        return enter(thunk)

    return open_and_enter


def _of_pair(function: Value) -> Callable[[tuple[Value, Value]], Value]:
    """`function`, which may be lazy, as a function of a pair of arguments."""
    apply: Callable[[Value, Value], Value] | None = None

    def call_pair(pair: tuple[Value, Value]) -> Value:
        nonlocal apply
        if apply is None:
            apply = binary(force(function))
        return apply(pair[0], pair[1])

    return call_pair


@builtin("zipAttrsWith")
def zip_attrs_with(function: Function, sets: List) -> Value:
    """The union of the sets in the list. Each value is `function name values`, computed when
    asked, where `values` has that attribute of all sets that have it, in order."""
    found: dict[str, list[Value]] = {}
    for stretch in stretches(sets):
        for attrs in stretch:
            for name, value in (attrs if type(attrs) is AttrSet else expect_attrs(attrs)).items():
                if name in found:
                    found[name].append(value)
                else:
                    found[name] = [value]
    return _delayed_calls(function, {name: tuple(values) for name, values in found.items()})


@builtin("unsafeGetAttrPos")
def unsafe_get_attr_pos(name: PlainStr, attrs: AttrSet) -> Value:
    """Where the attribute `name` of the set was written: `{ file; line; column; }`. `null` if
    the set does not have it, if nobody wrote it, or if it was not written in a file."""
    span = attrs.position_of(name) if name in attrs else None
    if span is None:
        return None
    sources = current_fiber().run.sources
    source = sources.source_at(span.start)
    if not source.name.startswith("/"):
        return None
    place = (sources, span)
    return AttrSet(file=source.name, line=_line(place), column=_column(place))


def _line_of(place: tuple[SourceMap, Span]) -> int:
    return place[0].position(place[1]).line


def _column_of(place: tuple[SourceMap, Span]) -> int:
    return place[0].position(place[1]).column


# Thunks, for C++ Nix counts lines only when asked (and prints `<CODE>` until then).
_line = native(_line_of)
_column = native(_column_of)
