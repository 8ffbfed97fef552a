"""The `<` operator, on which the other three and `builtins.lessThan` rest."""

from __future__ import annotations

from aionix.errors import Incomparable
from aionix.values import strings
from aionix.values.equality import first_difference
from aionix.values.kinds import kind_of, type_of
from aionix.values.limits import MAX_NESTING, too_deep
from aionix.values.paths import Path
from aionix.values.thunk import Value, force


def less_than(left: Value, right: Value) -> bool:
    """`left < right`: numbers, strings and paths by their bytes, lists by their first difference.

    Raises `Incomparable` for other kinds, and for kinds that differ.
    """
    left, right = force(left), force(right)
    if type(left) is str and type(right) is str:
        return strings.less(left, right)
    depth = 0
    while type(left) is tuple and type(right) is tuple:
        index = first_difference(left, right)
        if index == len(left) or index == len(right):
            return len(left) < len(right)
        left, right = force(left[index]), force(right[index])
        depth += 1
        if depth > MAX_NESTING:
            raise too_deep()
    return _less(left, right)


def _less(left: Value, right: Value) -> bool:
    if type(left) is int and type(right) is int:
        return left < right
    if type(left) is float and type(right) is float:
        return left < right
    if isinstance(left, str) and isinstance(right, str):
        return strings.less(left, right)
    if type(left) is int and type(right) is float:
        return float(left) < right
    if type(left) is float and type(right) is int:
        return left < float(right)
    if isinstance(left, Path) and isinstance(right, Path):
        return strings.less(left.text, right.text)
    raise _incomparable(left, right)


def _incomparable(left: Value, right: Value) -> Incomparable:
    message = f"cannot compare {kind_of(left)} with {kind_of(right)}"
    if type_of(left) == type_of(right):
        message += "; values of that type are incomparable"
    return Incomparable(message)
