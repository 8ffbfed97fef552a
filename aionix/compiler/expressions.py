"""How each kind of expression is compiled; sets, `let` and functions are in `definitions`."""

from __future__ import annotations

from collections.abc import Callable

from aionix.bytecode.opcodes import Op
from aionix.compiler.bindings import normalise
from aionix.compiler.context import Compiler, lazy, strict
from aionix.compiler.operators import FUNCTIONS, SWAPPED, useless_boolean
from aionix.source import Span
from aionix.syntax.nodes import (
    Apply,
    Assert,
    AttrSet,
    Binary,
    DynamicName,
    Expr,
    Float,
    HasAttr,
    If,
    Int,
    List,
    Path,
    SearchPath,
    Select,
    Str,
    Unary,
    Uri,
    Var,
    With,
)  # fmt: skip
from aionix.syntax.pretty import show
from aionix.values.paths import Path as PathValue
from aionix.values.paths import clean

COPY_PATHS = 2  # CoercionKind: `"${./file}"` copies, `./a/${./file}` does not
KEEP_PATHS = 0

# Literals


@strict(Int, Float)
def number(c: Compiler, node: Int | Float) -> None:
    c.out.constant(node.value, node.span)


@strict(Uri)
def uri(c: Compiler, node: Uri) -> None:
    c.out.constant(node.text, node.span)


@strict(Str)
def string(c: Compiler, node: Str) -> None:
    parts = node.parts
    if not parts:
        c.out.constant("", node.span)
        return
    for part in parts:
        string_part(c, part, COPY_PATHS, node.span)
    if len(parts) > 1:
        c.out.op_arg(Op.INTERPOLATE, len(parts), node.span)


def string_part(c: Compiler, part: str | Expr, coercion: int, span: Span) -> None:
    if isinstance(part, str):
        c.out.constant(part, span)
    else:
        c.strict(part)
        c.out.coerce(coercion, part.span)


@strict(Path)
def path(c: Compiler, node: Path) -> None:
    first = str(node.parts[0])
    if node.kind == "home":
        c.out.constant(first, node.span)
        c.out.op(Op.RESOLVE_HOME_PATH, node.span)
    else:
        c.out.constant(PathValue(absolute(node, c.base_dir)), node.span)
    if len(node.parts) > 1:
        interpolated_path(c, node, first)


def absolute(node: Path, base_dir: str) -> str:
    """The path, or the beginning of it, that is not relative to the home."""
    first = str(node.parts[0])
    return clean(first if node.kind == "absolute" else f"{base_dir}/{first}")


def interpolated_path(c: Compiler, node: Path, first: str) -> None:
    """Adds the rest, as a string, to the path; a path value lost its trailing slash, which is
    put in front of the rest. `+` makes the result clean, as in C++ Nix."""
    rest = node.parts[1:]
    slash = first.endswith("/")
    if slash:
        c.out.constant("/", node.span)
    for part in rest:
        string_part(c, part, KEEP_PATHS, node.span)
    if slash or len(rest) > 1:
        c.out.op_arg(Op.INTERPOLATE, len(rest) + slash, node.span)
    c.out.op(Op.ADD, node.span)


@strict(SearchPath)
def search_path(c: Compiler, node: SearchPath) -> None:
    c.out.constant(node.name, node.span)
    if c.overridden("__findFile") or c.overridden("__nixPath"):
        c.lazy(Var("__nixPath", node.span))
        c.strict(Var("__findFile", node.span))
        c.out.op(Op.CALL, node.span)
        c.out.op(Op.CALL, node.span)
    else:
        c.out.op(Op.FIND_FILE, node.span)


@strict(List)
def list_(c: Compiler, node: List) -> None:
    for item in node.items:
        c.lazy(item)
    c.out.op_arg(Op.LIST, len(node.items), node.span)


@lazy(Int, Float, Uri)
def lazy_literal(c: Compiler, node: Int | Float | Uri, _name: str | None) -> None:
    c.strict(node)


@lazy(Str, Path)
def lazy_text(c: Compiler, node: Str | Path, name: str | None) -> None:
    if len(node.parts) > 1 or (node.parts and not isinstance(node.parts[0], str)):
        c.thunk(node, name)
    else:
        c.strict(node)


@lazy(List)
def lazy_list(c: Compiler, node: List, name: str | None) -> None:
    if node.items:
        c.thunk(node, name)
    else:
        c.strict(node)


# Variables


@strict(Var)
def var(c: Compiler, node: Var) -> None:
    if node.name == "__curPos":
        current_position(c, node.span)
    elif c.variable(node):
        c.out.op(Op.FORCE, node.span)
    else:
        c.with_variable(node)
        c.out.op(Op.FORCE, node.span)


@lazy(Var)
def lazy_var(c: Compiler, node: Var, name: str | None) -> None:
    if node.name == "__curPos" or not c.variable(node):
        c.thunk(node, name)


def current_position(c: Compiler, span: Span) -> None:
    """`__curPos`: where it stands, or null in an expression that is not from a file."""
    file = c.source.name
    if not file.startswith("/"):
        c.out.constant(None, span)
        return
    line, column = c.source.position(span.start)
    for name, value in (("file", file), ("line", line), ("column", column)):
        c.out.constant(name, span)
        c.out.constant(value, span)
    offset = c.out.op_arg(Op.ATTRS, 3, span)
    c.out.chunk.attr_names[offset] = ("file", "line", "column")


@strict(With)
def with_(c: Compiler, node: With) -> None:
    slot = c.out.height
    c.lazy(node.namespace)
    c.out.op_arg(Op.PUSH_WITH, slot, node.span)
    c.scope.withs += 1
    c.strict(node.body)
    c.scope.withs -= 1
    c.out.op(Op.POP_WITH, node.span)
    c.out.op_arg(Op.CLOSE_SCOPE, 1, node.span)


# Attributes


@strict(Select)
def select(c: Compiler, node: Select) -> None:
    c.strict(node.subject)
    if node.default is not None:
        select_or(c, node, node.default)
        return
    for name in node.path:
        c.attribute_name(name)
        c.out.op(Op.ATTRS_SELECT, node.span)
        c.out.op(Op.FORCE, node.span)


def select_or(c: Compiler, node: Select, default: Expr) -> None:
    misses = []
    for name in node.path:
        c.attribute_name(name)
        c.out.op(Op.ATTRS_TRY_SELECT, node.span)
        misses.append(c.out.jump(Op.JUMP_IF_NOT_FOUND, node.span))
        c.out.op(Op.FORCE, node.span)
    end = c.out.jump(Op.JUMP, node.span)
    c.out.height -= 1
    for miss in misses:
        c.out.land(miss)
    c.branch(default)
    c.out.land(end)


@strict(HasAttr)
def has_attr(c: Compiler, node: HasAttr) -> None:
    c.strict(node.subject)
    misses = []
    last_dynamic = max([i for i, name in enumerate(node.path) if isinstance(name, DynamicName)], default=0)
    for index, name in enumerate(node.path[:-1]):
        c.attribute_name(name)
        c.out.op(Op.ATTRS_TRY_SELECT, node.span)
        if index < last_dynamic:
            misses.append(c.out.jump(Op.JUMP_IF_NOT_FOUND, node.span))
        c.out.op(Op.FORCE, node.span)
    c.attribute_name(node.path[-1])
    c.out.op(Op.HAS_ATTR, node.span)
    if misses:  # names after a missing one are not evaluated
        no_longer(c, misses, node.span)


def no_longer(c: Compiler, misses: list[int], span: Span) -> None:
    """Where `misses` lead, the answer is false."""
    end = c.out.jump(Op.JUMP, span)
    c.out.height -= 1
    for miss in misses:
        c.out.land(miss)
    c.out.constant(False, span)
    c.out.land(end)


# Control flow


@strict(Apply)
def apply(c: Compiler, node: Apply) -> None:
    c.lazy(node.argument)
    c.strict(node.function)
    c.out.op(Op.CALL, node.span)


@strict(If)
def if_(c: Compiler, node: If) -> None:
    out = c.out
    c.strict(node.condition)
    otherwise = out.jump(Op.JUMP_IF_FALSE, node.span)
    out.op(Op.POP, node.span)
    c.branch(node.consequence)
    end = out.jump(Op.JUMP, node.span)
    out.land(otherwise)
    out.op(Op.POP, node.span)
    c.branch(node.alternative)
    out.land(end)


@strict(Assert)
def assert_(c: Compiler, node: Assert) -> None:
    out = c.out
    operands = assert_condition(c, node.condition)
    failed = out.jump(Op.JUMP_IF_FALSE, node.span)
    for _ in range(1 + operands):
        out.op(Op.POP, node.span)
    c.branch(node.body)
    end = out.jump(Op.JUMP, node.span)
    out.land(failed)
    out.height += operands
    out.op(Op.POP, node.span)
    condition = show(normalise(node.condition), base_dir=c.base_dir)
    out.constant(f"assertion '{condition}' failed", node.span)
    if operands:
        out.op_arg(Op.LIST, 1 + operands, node.span)
    out.op(Op.ASSERT_FAIL, node.span)
    out.land(end)


def assert_condition(c: Compiler, node: Expr) -> int:
    """Compiles the condition. That of `a == b` leaves a and b below it, so that the failure can
    tell where they differ; how many values it leaves comes back."""
    if not isinstance(node, Binary) or node.op != "==":
        c.strict(node)
        return 0
    left = c.out.height
    c.strict(node.left)
    c.strict(node.right)
    c.out.op_arg(Op.GET_LOCAL, left, node.span)
    c.out.op_arg(Op.GET_LOCAL, left + 1, node.span)
    c.out.op(Op.EQUAL, node.op_span)
    return 2


# Operators

_OPS = {
    "+": Op.ADD,
    "-": Op.SUB,
    "*": Op.MUL,
    "/": Op.DIV,
    "<": Op.LESS,
    ">=": Op.MORE_OR_EQ,
    "==": Op.EQUAL,
    "++": Op.CONCAT,
    "//": Op.ATTRS_UPDATE,
}

_SWAPPED_OPS = {">": Op.LESS, "<=": Op.MORE_OR_EQ}

_BOOLEAN = frozenset(["==", "!=", "&&", "||", "->"])


@strict(Unary)
def unary(c: Compiler, node: Unary) -> None:
    if node.op == "!":
        c.strict(node.operand)
        c.out.op(Op.INVERT, node.span)
    elif c.overridden("__sub"):
        call_function(c, "__sub", Int(0, node.span), node.operand, node.span)
    else:
        c.strict(node.operand)
        c.out.op(Op.NEGATE, node.span)


@strict(Binary)
def binary(c: Compiler, node: Binary) -> None:
    short_circuit = _SHORT_CIRCUIT.get(node.op)
    if short_circuit is not None:
        short_circuit(c, node)
        return
    function = FUNCTIONS.get(node.op)
    if function is not None and c.overridden(function):
        overridden_operator(c, node, function)
        return
    swapped = _SWAPPED_OPS.get(node.op)
    if swapped is not None:
        c.strict(node.right)
        c.strict(node.left)
        c.out.op(swapped, node.op_span)
        return
    c.strict(node.left)
    if node.op == "//" and not isinstance(node.right, AttrSet) and not makes_set(node.left):
        c.out.op(Op.ASSERT_ATTRS, node.op_span)  # before the right side can fail
    c.strict(node.right)
    c.out.op(_OPS["==" if node.op == "!=" else node.op], node.op_span)
    if node.op == "!=":
        c.out.op(Op.INVERT, node.op_span)


def makes_set(node: Expr) -> bool:
    return isinstance(node, AttrSet) or (isinstance(node, Binary) and node.op == "//")


def overridden_operator(c: Compiler, node: Binary, function: str) -> None:
    """The operator as a call; `a > b` is `__lessThan b a`, and `a >= b` is `! (__lessThan a b)`."""
    swapped = node.op in SWAPPED
    left, right = (node.right, node.left) if swapped else (node.left, node.right)
    call_function(c, function, left, right, node.op_span)
    if node.op in ("<=", ">="):
        c.out.op(Op.INVERT, node.op_span)


def call_function(c: Compiler, function: str, first: Expr, second: Expr, span: Span) -> None:
    c.lazy(second)
    c.lazy(first)
    c.strict(Var(function, span))
    c.out.op(Op.CALL, span)
    c.out.op(Op.CALL, span)


def and_or(jump: Op) -> Callable[[Compiler, Binary], None]:
    """`&&` jumps over its right side if the left is false, `||` if it is true."""

    def compile_(c: Compiler, node: Binary) -> None:
        useless = useless_boolean(node, c.is_global)
        if useless is not None and useless[1] is not None:
            boolean(c, useless[1], node.op_span)
            return
        c.strict(node.left)
        skip_unless_decided(c, node, jump)

    return compile_


def implication(c: Compiler, node: Binary) -> None:
    c.strict(node.left)
    c.out.op(Op.INVERT, node.op_span)
    skip_unless_decided(c, node, Op.JUMP_IF_TRUE)


def skip_unless_decided(c: Compiler, node: Binary, jump: Op) -> None:
    """The right side of `node`, jumped over if the value on the stack is the answer already."""
    decided = c.out.jump(jump, node.op_span)
    c.out.op(Op.POP, node.op_span)
    boolean(c, node.right, node.op_span, c.branch)
    c.out.land(decided)


def boolean(c: Compiler, node: Expr, span: Span, compile_: Callable[[Expr], None] | None = None) -> None:
    """`node` strictly, checked to be a Boolean where that is not plain from the text."""
    (compile_ or c.strict)(node)
    plain = isinstance(node, HasAttr) or (isinstance(node, Binary) and node.op in _BOOLEAN)
    if not plain and not (isinstance(node, Unary) and node.op == "!"):
        c.out.op(Op.ASSERT_BOOL, span)


_SHORT_CIRCUIT: dict[str, Callable[[Compiler, Binary], None]] = {
    "&&": and_or(Op.JUMP_IF_FALSE),
    "||": and_or(Op.JUMP_IF_TRUE),
    "->": implication,
}
