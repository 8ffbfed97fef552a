"""Operators that are more than an instruction: functions that a program may bind, and idle Booleans.

Of the latter only what changes nothing is simplified: `e || true` still evaluates `e`, which may fail.
"""

from __future__ import annotations

from collections.abc import Callable

from aionix.syntax.nodes import Binary, Expr, Var

#: The functions that C++ Nix calls for these operators: a program may bind them itself.
FUNCTIONS = {
    "-": "__sub",
    "*": "__mul",
    "/": "__div",
    "<": "__lessThan",
    "<=": "__lessThan",
    ">": "__lessThan",
    ">=": "__lessThan",
}
#: `a > b` is `b < a`: the right side is evaluated first.
SWAPPED = (">", "<=")

_NEUTRAL = {"&&": True, "||": False}


def useless_boolean(node: Binary, is_global: Callable[[str], bool]) -> tuple[str, Expr | None] | None:
    """What is odd about `node`, and the operand that is as good as the whole if there is one.

    `is_global` tells whether a name means the global.
    """
    neutral = _NEUTRAL.get(node.op)
    if neutral is None:
        return None
    for operand, other in ((node.left, node.right), (node.right, node.left)):
        value = _literal(operand, is_global)
        if value is neutral:
            return f"this `{_text(value)}` has no effect on the result of the comparison", other
        if value is not None:
            return f"this expression is always {_text(value)}", None
    return None


def _literal(node: Expr, is_global: Callable[[str], bool]) -> bool | None:
    if not isinstance(node, Var) or node.name not in ("true", "false") or not is_global(node.name):
        return None
    return node.name == "true"


def _text(value: bool) -> str:
    return "true" if value else "false"
