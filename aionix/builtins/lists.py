"""Lists. Elements are forced only where a question about them needs an answer."""

from __future__ import annotations

from types import MethodType

from aionix.builtins import membership
from aionix.builtins.loops import binary, delayed_calls, stretches, unary
from aionix.builtins.mapped import Apply, consumes_map
from aionix.builtins.registry import (
    Function,
    Lazy,
    List,
    builtin,
    expect_bool,
    expect_function,
    expect_list,
    expect_plain_str,
)
from aionix.errors import IndexOutOfBounds, InvalidArgument
from aionix.native.known import inner_of
from aionix.values.attrs import AttrSet
from aionix.values.equality import equal, equal_elements
from aionix.values.functions import call
from aionix.values.limits import LARGE, MAX_LIST, check_list, need
from aionix.values.thunk import Value, force
from aionix.values.walk import FEW, begin, end


@builtin("length")
def length(values: List) -> int:
    """The number of elements."""
    return len(values)


@builtin("head")
def head(values: List) -> Value:
    """The first element; an error if there is none."""
    if not values:
        raise IndexOutOfBounds("'builtins.head' called on an empty list")
    return force(values[0])


@builtin("tail")
def tail(values: List) -> Value:
    """The list without its first element; an error if it is empty. Copies: walking a list this
    way takes quadratic time."""
    if not values:
        raise IndexOutOfBounds("'builtins.tail' called on an empty list")
    check_list(len(values))
    return values[1:]


@builtin("elemAt")
def elem_at(values: Lazy, index: int) -> Value:
    """The element at `index`, counted from 0; an error if there is none."""
    elements = values if type(values) is tuple else expect_list(values)
    if not 0 <= index < len(elements):
        raise IndexOutOfBounds(
            f"'builtins.elemAt' called with index {index} on a list of size {len(elements)}"
        )
    element = elements[index]
    return element if type(element) is not list else force(element)


@builtin("elem")
def elem(value: Lazy, values: List) -> bool:
    """Whether some element equals `value`; elements after it are not looked at."""
    if not values:
        return False
    wanted = force(value)
    kind = type(wanted)
    if kind not in _COMPARED_AT_ONCE:
        return _has_element(values, value)
    index = membership.index_of(values) if len(values) >= membership.FEW else None
    if index is not None:
        return wanted in index
    for stretch in stretches(values):
        for element in stretch:
            if type(element) is list:
                element = element[1] if element[0] is None else element[0](element)
            if element == wanted if type(element) is kind else equal(wanted, element):
                return True
    return False


_COMPARED_AT_ONCE = frozenset({str, int})


def _has_element(values: tuple[Value, ...], value: Value) -> bool:
    for stretch in stretches(values):
        for element in stretch:
            if equal_elements(value, element):
                return True
    return False


@builtin("map")
def map_list(function: Lazy, values: List) -> Value:
    """The list of `function element` for each element, computed when asked."""
    if not values:
        return ()
    return delayed_calls(function if type(function) is MethodType else expect_function(function), values)


@builtin("genList")
def gen_list(generator: Lazy, count: int) -> Value:
    """The list of `generator 0`, `generator 1`, ... with `count` elements, computed when asked."""
    if not 0 <= count <= MAX_LIST:
        raise InvalidArgument(f"cannot create list of size {count}")
    return delayed_calls(expect_function(generator), range(count))


@builtin("filter")
def filter_list(predicate: Lazy, values: List) -> Value:
    """The elements for which `predicate element` is `true`."""
    if not values:
        return ()
    test = predicate if type(predicate) is MethodType else unary(expect_function(predicate))
    kept: list[Value] = []
    for stretch in stretches(values):
        for value in stretch:
            answer = test(value)
            if answer is True:
                kept.append(value)
            elif answer is not False:
                expect_bool(answer)
    # Being the same list can be seen: a second one is printed as «repeated».
    return values if len(kept) == len(values) else tuple(kept)


@builtin("partition")
def partition(predicate: Function, values: List) -> Value:
    """`{ right = ...; wrong = ...; }`: the elements for which `predicate element` is `true`, and
    the others. Forces the elements."""
    test = unary(predicate)
    right: list[Value] = []
    wrong: list[Value] = []
    for stretch in stretches(values):
        for value in stretch:
            value = force(value)
            (right if expect_bool(test(value)) else wrong).append(value)
    return AttrSet(right=tuple(right), wrong=tuple(wrong))


@builtin("groupBy")
def group_by(key: Function, values: List) -> Value:
    """A set of lists: each element is in the one that the string `key element` names."""
    name_of = unary(key)
    groups: dict[str, list[Value]] = {}
    for stretch in stretches(values):
        for value in stretch:
            name = name_of(value)
            if type(name) is not str:
                name = expect_plain_str(name)
            if name in groups:
                groups[name].append(value)
            else:
                groups[name] = [value]
    return AttrSet({name: tuple(group) for name, group in groups.items()})


@builtin("all")
def all_of(predicate: Function, values: List) -> bool:
    """Whether `predicate element` is `true` for every element; stops at the first `false`."""
    test = unary(predicate)
    for stretch in stretches(values):
        for value in stretch:
            answer = test(value)
            if answer is not True and not expect_bool(answer):
                return False
    return True


@builtin("any")
def any_of(predicate: Function, values: List) -> bool:
    """Whether `predicate element` is `true` for some element; stops at the first `true`."""
    test = unary(predicate)
    for stretch in stretches(values):
        for value in stretch:
            answer = test(value)
            if answer is not False and expect_bool(answer):
                return True
    return False


@builtin("foldl'")
def foldl(operator: Function, start: Lazy, values: List) -> Value:
    """`operator (... (operator (operator start e0) e1) ...) en`; each step is evaluated before
    the next one begins."""
    if not values:
        return force(start)
    result = start
    inner = inner_of(operator)
    unit, before, after = inner or (None, (), None)
    if unit is not None and after is not None:
        body = unit.function
        for stretch in stretches(values):
            for value in stretch:
                result = body((*before, result, *after), value)
        return result
    if type(operator) is MethodType:
        for stretch in stretches(values):
            for value in stretch:
                step = operator(result)
                result = step(value) if type(step) is MethodType else call(step, value)
        return result
    apply = binary(operator)
    for stretch in stretches(values):
        for value in stretch:
            result = apply(result, value)
    return result


@builtin("concatLists")
def concat_lists(lists: List) -> Value:
    """The elements of all the lists in a row."""
    return _concatenated(lists, None)


def _concatenated(lists: tuple[Value, ...], apply: Apply) -> Value:
    if apply is not None or len(lists) <= FEW:
        return _in_a_row(lists, apply)
    walks = begin([iter(lists)])
    try:
        return _in_a_row(lists)
    finally:
        end(walks)


consumes_map("concatLists", _concatenated)


def _in_a_row(lists: tuple[Value, ...], apply: Apply = None) -> tuple[Value, ...]:
    result: list[Value] = []
    longest: tuple[Value, ...] = ()
    for stretch in stretches(lists):
        for values in stretch:
            if apply is not None:
                values = apply(values)
            elif type(values) is list:
                values = values[1] if values[0] is None else values[0](values)
            if type(values) is not tuple:
                values = expect_list(values)
            if values:  # most are empty where options are merged
                if len(values) > len(longest):
                    longest = values
                if 8 * len(values) > LARGE:
                    need(16 * (len(result) + len(values)))
                result += values
                if len(result) > MAX_LIST:
                    check_list(len(result))
    return longest if len(longest) == len(result) else tuple(result)


@builtin("concatMap")
def concat_map(function: Function, values: List) -> Value:
    """The elements of all the lists `function element` in a row."""
    lists_of = function if type(function) is MethodType else unary(function)
    result: list[Value] = []
    for stretch in stretches(values):
        for value in stretch:
            more = lists_of(value)
            elements = more if type(more) is tuple else expect_list(more)
            if 8 * (len(result) + len(elements)) > LARGE:
                check_list(len(result) + len(elements))
            result += elements
    return tuple(result)
