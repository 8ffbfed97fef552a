"""`sort`: a stable merge sort in Python, since a comparator must not be called from C."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, cast

from aionix.builtins.loops import binary, stretches
from aionix.builtins.registry import Lazy, List, builtin, expect_bool, expect_function
from aionix.values.functions import Builtin
from aionix.values.limits import checkpoint
from aionix.values.ordering import less_than
from aionix.values.strings import ContextString, byte_key
from aionix.values.thunk import Value, force

_IsLess: TypeAlias = Callable[[Value, Value], Value]
#: As many elements are merged before the event loop is thought of.
_LONG = 2048
#: Of more elements, it is asked first whether they are in order.
_FEW = 8


@builtin("sort")
def sort(comparator: Lazy, values: List) -> Value:
    """The elements, evaluated, in an order in which no element comes after one that
    `comparator` says it is less than; equal ones stay as they were."""
    if not values:
        return ()
    comparator = expect_function(comparator)
    elements: list[Value] = []
    for stretch in stretches(values):
        elements += [force(value) for value in stretch]
    if type(comparator) is Builtin and comparator.name == "lessThan":
        return tuple(_sorted_by_value(elements))
    return tuple(_merge_sorted(elements, binary(comparator)))


def _sorted_by_value(values: list[Value]) -> list[Value]:
    kinds = set(map(type, values))
    if kinds == {int}:
        return cast(list[Value], sorted(cast(list[int], values)))
    if kinds <= {str, ContextString}:
        return cast(list[Value], sorted(cast(list[str], values), key=byte_key))
    return _merge_sorted(values, less_than)


def _merge_sorted(values: list[Value], is_less: _IsLess) -> list[Value]:
    if len(values) == 1:
        return values
    middle = (len(values) + 1) // 2
    left, right = _merge_sorted(values[:middle], is_less), _merge_sorted(values[middle:], is_less)
    if len(values) > _LONG:
        checkpoint()
    if len(values) > _FEW and not expect_bool(is_less(right[0], left[-1])):
        return left + right
    return _merged(left, right, is_less)


def _merged(left: list[Value], right: list[Value], is_less: _IsLess) -> list[Value]:
    result: list[Value] = []
    i = j = 0
    here, there = left[0], right[0]
    while True:
        answer = is_less(there, here)
        if answer is True or (answer is not False and expect_bool(answer)):
            result.append(there)
            j += 1
            if j == len(right):
                return result + left[i:]
            there = right[j]
        else:
            result.append(here)
            i += 1
            if i == len(left):
                return result + right[j:]
            here = left[i]
        if not len(result) & 1023:  # a comparator that calls nothing does not look at the clock
            checkpoint()
