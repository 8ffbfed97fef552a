"""Boolean operations whose outcome is plain from the text.

Only what changes nothing is simplified: `e || true` still evaluates `e`, which may fail.
"""

from __future__ import annotations

from collections.abc import Callable

from aionix.syntax.nodes import Binary, Expr

_NEUTRAL = {"&&": True, "||": False}


def useless_boolean(
    node: Binary, literal: Callable[[Expr], bool | None]
) -> tuple[str, Expr | None] | None:
    """What is odd about `node`, and the operand that is as good as the whole if there is one.

    `literal` tells the value of `true` and `false` and answers None for anything else.
    """
    neutral = _NEUTRAL.get(node.op)
    if neutral is None:
        return None
    for operand, other in ((node.left, node.right), (node.right, node.left)):
        value = literal(operand)
        if value is neutral:
            return f"this `{_text(value)}` has no effect on the result of the comparison", other
        if value is not None:
            return f"this expression is always {_text(value)}", None
    return None


def _text(value: bool) -> str:
    return "true" if value else "false"
