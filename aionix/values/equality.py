"""The `==` operator.

Elements of lists and attributes of sets that are one and the same object are equal without a
look inside, so a function equals itself there, and NaN too; the two operands of `==` are never
taken for the same. Which object an element is, C++ Nix says: `[ f ] == [ f ]` compares `f`
with itself, but `s.f`, `id f` and `head [ f ]` are computed anew each time. A thunk is such an
object; two thunks that have the same function as their value are two.
"""

from __future__ import annotations

from aionix.values.attrs import AttrSet
from aionix.values.limits import MAX_NESTING, checkpoint, look_around, too_deep
from aionix.values.paths import Path
from aionix.values.strings import ContextString
from aionix.values.thunk import Value, force


def equal(left: Value, right: Value) -> bool:
    """`left == right`; both are forced, as deep as it takes to find a difference."""
    if type(left) is list:
        left = left[1] if left[0] is None else left[0](left)
    if type(right) is list:
        right = right[1] if right[0] is None else right[0](right)
    kind = type(left)
    return left == right if kind is type(right) and kind in _PLAIN else _equal(left, right, 0)


def equal_elements(left: Value, right: Value, depth: int = 0) -> bool:
    """Equality as between elements of two lists (`builtins.elem` asks it, too), at so many levels."""
    value = left
    if type(value) is list:
        value = value[1] if value[0] is None else value[0](value)
    other = right
    if type(other) is list:
        other = other[1] if other[0] is None else other[0](other)
    # The shortcut comes after forcing: an element that fails makes the comparison fail.
    if left is right:
        return True
    kind = type(value)
    return value == other if kind is type(other) and kind in _PLAIN else _equal(value, other, depth)


def _equal(left: Value, right: Value, depth: int) -> bool:
    kind = type(left)
    if kind is not type(right):
        return _equal_mixed(left, right)
    if kind is tuple:
        return _equal_lists(left, right, depth + 1)  # type: ignore[arg-type]
    if kind is AttrSet:
        return _equal_sets(left, right, depth + 1)  # type: ignore[arg-type]
    if isinstance(left, Path) and isinstance(right, Path):
        return left.text == right.text
    if kind in _PLAIN:
        return left == right
    return False  # functions


_PLAIN = frozenset({int, float, bool, type(None), str, ContextString})


def _equal_mixed(left: Value, right: Value) -> bool:
    """Strings differ in having a context, numbers in being rounded to floats; no others mix."""
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    if type(left) is int and type(right) is float:
        return float(left) == right
    return type(left) is float and type(right) is int and left == float(right)


def _equal_lists(left: tuple[Value, ...], right: tuple[Value, ...], depth: int) -> bool:
    if len(left) != len(right):
        return False
    _descend(depth)
    return first_difference(left, right, depth) == len(left)


def first_difference(left: tuple[Value, ...], right: tuple[Value, ...], depth: int = 0) -> int:
    """The index of the first elements that differ, or the length of the shorter list."""
    for index in range(min(len(left), len(right))):
        if not equal_elements(left[index], right[index], depth):
            return index
        if index & 1023 == 1023:
            checkpoint()
    return min(len(left), len(right))


def _equal_sets(left: AttrSet, right: AttrSet, depth: int) -> bool:
    if is_derivation(left) and is_derivation(right) and "outPath" in left and "outPath" in right:
        return equal_elements(left["outPath"], right["outPath"], depth)
    if len(left) != len(right):
        return False
    _descend(depth)
    # In the order the left set was written: nearer to C++ Nix, where names count in the order it
    # first met them, than that of their bytes. It decides which error is met first.
    for name, value in left.items():
        if name not in right or not equal_elements(value, right[name], depth):
            return False
    return True


def is_derivation(attrs: AttrSet) -> bool:
    """Is `type` the string "derivation"? It is forced."""
    if "type" not in attrs:
        return False
    kind = force(attrs["type"])
    return isinstance(kind, str) and kind == "derivation"


def _descend(depth: int) -> None:
    if depth > MAX_NESTING:
        raise too_deep()
    look_around()
