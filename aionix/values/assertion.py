"""Why the two sides of `assert a == b` differ, told at the innermost difference.

It walks as `==` did (`values.equality`), so what it forces has been forced before. The wording
is that of C++ Nix.
"""

from __future__ import annotations

from aionix.errors import AssertionFailed
from aionix.values.attrs import AttrSet
from aionix.values.equality import equal, is_derivation
from aionix.values.kinds import is_function, kind_of, type_of
from aionix.values.printing import brief
from aionix.values.thunk import Value, force


def refuse_difference(left: Value, right: Value) -> None:
    """Raises `AssertionFailed` where the two differ; returns where it finds nothing to tell."""
    left, right = force(left), force(right)
    kinds = type_of(left), type_of(right)
    if not {*kinds} - {"int", "float"}:
        if not equal(left, right):
            raise _unequal(f"{kind_of(left)} with value", left, f"{kind_of(right)} with value", right)
    elif kinds[0] != kinds[1]:
        raise _unequal(f"{kind_of(left)} of value", left, f"{kind_of(right)} of value", right)
    elif isinstance(left, tuple) and isinstance(right, tuple):
        _refuse_lists(left, right)
    elif isinstance(left, AttrSet) and isinstance(right, AttrSet):
        _refuse_sets(left, right)
    elif is_function(left):
        raise AssertionFailed(
            "distinct functions and immediate comparisons of identical functions compare as unequal"
        )
    elif not equal(left, right):
        kind = "boolean" if kinds[0] == "bool" else kinds[0]
        raise _unequal(kind, left, kind, right)


def _unequal(left_kind: str, left: Value, right_kind: str, right: Value) -> AssertionFailed:
    return AssertionFailed(f"{left_kind} '{brief(left)}' is not equal to {right_kind} '{brief(right)}'")


def _refuse_lists(left: tuple[Value, ...], right: tuple[Value, ...]) -> None:
    if len(left) != len(right):
        raise AssertionFailed(
            f"list of size '{len(left)}' is not equal to list of size '{len(right)}', "
            f"left hand side is '{brief(left)}', right hand side is '{brief(right)}'"
        )
    for index in range(len(left)):
        _refuse_part(left[index], right[index], f"list element {index}")


def _refuse_sets(left: AttrSet, right: AttrSet) -> None:
    if is_derivation(left) and is_derivation(right) and "outPath" in left and "outPath" in right:
        _refuse_part(left["outPath"], right["outPath"], "a derivation by its 'outPath' attribute")
        return
    if len(left) != len(right):
        raise AssertionFailed(
            f"attribute names of attribute set '{brief(left)}' differs from attribute set '{brief(right)}'"
        )
    for name in left:  # in the order of `==`
        if name not in right:
            raise AssertionFailed(
                f"attribute name '{name}' is contained in '{brief(left)}', but not in '{brief(right)}'"
            )
        _refuse_part(left[name], right[name], f"attribute '{name}'")


def _refuse_part(left: Value, right: Value, what: str) -> None:
    if left is right:
        return
    try:
        refuse_difference(left, right)
    except AssertionFailed as error:
        error.add_frame(f"while comparing {what}")
        raise
