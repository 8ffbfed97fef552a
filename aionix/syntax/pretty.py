"""The tree into text, as `nix-instantiate --parse` prints it.

Everything stands in parentheses, names are sorted, operators that Nix builds from functions
appear as calls (`a - b` is `(__sub a b)`). The sets of the tree should be merged already; what is
left of longer attribute paths is printed as it is. Trees of any depth are fine: nothing recurses.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from functools import singledispatchmethod
from typing import Final, TypeAlias

from aionix.errors import InternalError
from aionix.syntax import nodes
from aionix.syntax.nodes import AttrName, Expr

KEYWORDS: Final = frozenset(["if", "then", "else", "assert", "with", "let", "in", "rec", "inherit"])

#: Text, and expressions that are still to be printed.
_Pieces: TypeAlias = "list[str | Expr]"

_IDENTIFIER: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_'-]*")
_SPECIAL: Final = re.compile(r'["\\\n\r\t]|\$(?=\{)')
_ESCAPES: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
#: Operators that are calls: the function, and whether the operands change places.
_FUNCTIONS: Final = {
    "-": ("__sub", False),
    "*": ("__mul", False),
    "/": ("__div", False),
    "<": ("__lessThan", False),
    ">": ("__lessThan", True),
}
#: Operators that are such a call, negated.
_NEGATED: Final = {"<=": ("__lessThan", True), ">=": ("__lessThan", False)}


def show(expr: Expr, *, base_dir: str | None = None, home: str | None = None) -> str:
    """`expr` as text. Relative paths are joined to `base_dir` and those of `~` to `home`, absolute
    names both; without one they stay as written."""
    printer = _Printer(base_dir, home)
    text: list[str] = []
    todo: _Pieces = [expr]
    while todo:
        piece = todo.pop()
        if isinstance(piece, str):
            text.append(piece)
        else:
            todo.extend(reversed(printer.pieces(piece)))
    return "".join(text)


def quote(text: str) -> str:
    """`text` as a string literal."""
    return f'"{_SPECIAL.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[0], "\\" + match[0])


def attribute(name: str) -> str:
    """`name` as it can stand left of `=`: quoted unless it is an identifier and no keyword."""
    return name if _IDENTIFIER.fullmatch(name) and name not in KEYWORDS else quote(name)


class _Printer:
    def __init__(self, base_dir: str | None, home: str | None) -> None:
        self._base_dir = base_dir
        self._home = home

    @singledispatchmethod
    def pieces(self, expr: Expr) -> _Pieces:
        """What `expr` is printed as: text and its parts, in turn."""
        raise InternalError(f"no text for a {type(expr).__name__}")

    # Each names its type twice: to find it among the annotations takes 1 ms for all.
    @pieces.register(nodes.Int)
    def _int(self, expr: nodes.Int) -> _Pieces:
        return [str(expr.value)]

    @pieces.register(nodes.Float)
    def _float(self, expr: nodes.Float) -> _Pieces:
        return [f"{expr.value:g}"]

    @pieces.register(nodes.Str)
    def _str(self, expr: nodes.Str) -> _Pieces:
        match expr.parts:
            case ():
                return ['""']
            case (str(text),):
                return [quote(text)]
        return _concatenation([quote(part) if isinstance(part, str) else part for part in expr.parts])

    @pieces.register(nodes.Uri)
    def _uri(self, expr: nodes.Uri) -> _Pieces:
        return [quote(expr.text)]

    @pieces.register(nodes.Path)
    def _path(self, expr: nodes.Path) -> _Pieces:
        first, *rest = expr.parts
        assert isinstance(first, str)  # nodes.Path
        path = self._absolute(expr, first)
        if not rest:
            return [path]
        slash = "/" if first.endswith("/") and not path.endswith("/") else ""
        return _concatenation(
            [path + slash, *[quote(part) if isinstance(part, str) else part for part in rest]]
        )

    def _absolute(self, path: nodes.Path, text: str) -> str:
        if path.kind == "home":
            base, text = self._home, text if self._home is None else text[2:]
        else:
            base = "/" if path.kind == "absolute" else self._base_dir
        if base is None:
            return text
        return "/" + posixpath.normpath(posixpath.join(base, text)).lstrip("/")

    @pieces.register(nodes.SearchPath)
    def _search_path(self, expr: nodes.SearchPath) -> _Pieces:
        return _parenthesised(_call(expr))

    @pieces.register(nodes.Var)
    def _var(self, expr: nodes.Var) -> _Pieces:
        return [expr.name]

    @pieces.register(nodes.Select)
    def _select(self, expr: nodes.Select) -> _Pieces:
        selection = ["(", expr.subject, ").", *_attribute_path(expr.path)]
        return selection if expr.default is None else [*selection, " or (", expr.default, ")"]

    @pieces.register(nodes.HasAttr)
    def _has_attr(self, expr: nodes.HasAttr) -> _Pieces:
        return ["((", expr.subject, ") ? ", *_attribute_path(expr.path), ")"]

    @pieces.register(nodes.Apply)
    def _apply(self, expr: nodes.Apply) -> _Pieces:
        return _parenthesised(_call(expr))

    @pieces.register(nodes.Unary)
    def _unary(self, expr: nodes.Unary) -> _Pieces:
        return ["(! ", expr.operand, ")"] if expr.op == "!" else _parenthesised(_call(expr))

    @pieces.register(nodes.Binary)
    def _binary(self, expr: nodes.Binary) -> _Pieces:
        if expr.op in _FUNCTIONS:
            return _parenthesised(_call(expr))
        if expr.op in _NEGATED:
            return ["(! ", *_parenthesised(_operator_call(expr, *_NEGATED[expr.op])), ")"]
        return ["(", expr.left, f" {expr.op} ", expr.right, ")"]

    @pieces.register(nodes.If)
    def _if(self, expr: nodes.If) -> _Pieces:
        return ["(if ", expr.condition, " then ", expr.consequence, " else ", expr.alternative, ")"]

    @pieces.register(nodes.Assert)
    def _assert(self, expr: nodes.Assert) -> _Pieces:
        return ["assert ", expr.condition, "; ", expr.body]

    @pieces.register(nodes.With)
    def _with(self, expr: nodes.With) -> _Pieces:
        return ["(with ", expr.namespace, "; ", expr.body, ")"]

    @pieces.register(nodes.Let)
    def _let(self, expr: nodes.Let) -> _Pieces:
        return ["(let ", *_bindings(expr.bindings), "in ", expr.body, ")"]

    @pieces.register(nodes.LegacyLet)
    def _legacy_let(self, expr: nodes.LegacyLet) -> _Pieces:
        return ["(rec { ", *_bindings(expr.bindings), "}).body"]

    @pieces.register(nodes.AttrSet)
    def _attr_set(self, expr: nodes.AttrSet) -> _Pieces:
        return ["rec { " if expr.recursive else "{ ", *_bindings(expr.bindings), "}"]

    @pieces.register(nodes.List)
    def _list(self, expr: nodes.List) -> _Pieces:
        return ["[ ", *[piece for item in expr.items for piece in ("(", item, ") ")], "]"]

    @pieces.register(nodes.Lambda)
    def _lambda(self, expr: nodes.Lambda) -> _Pieces:
        if expr.formals is None:
            return [f"({expr.name}: ", expr.body, ")"]
        name = "" if expr.name is None else f" @ {expr.name}"
        return ["({ ", *_formals(expr.formals), f" }}{name}: ", expr.body, ")"]


def _call(expr: Expr) -> _Pieces:
    """The function of a call and all its arguments; `f a b` is one call, as `(f a) b` is."""
    arguments: _Pieces = []
    while isinstance(expr, nodes.Apply):
        arguments.append(expr.argument)
        expr = expr.function
    head: _Pieces = [expr]
    if isinstance(expr, nodes.SearchPath):
        head = ["__findFile", "__nixPath", quote(expr.name)]
    elif isinstance(expr, nodes.Unary) and expr.op == "-":
        head = ["__sub", "0", expr.operand]
    elif isinstance(expr, nodes.Binary) and expr.op in _FUNCTIONS:
        head = _operator_call(expr, *_FUNCTIONS[expr.op])
    return head + arguments[::-1]


def _operator_call(expr: nodes.Binary, function: str, swapped: bool) -> _Pieces:
    return [function, expr.right, expr.left] if swapped else [function, expr.left, expr.right]


def _parenthesised(call: _Pieces) -> _Pieces:
    return ["(", *_separated(call, " "), ")"]


def _concatenation(parts: _Pieces) -> _Pieces:
    return ["(", *_separated(parts, " + "), ")"]


def _separated(pieces: _Pieces, separator: str) -> _Pieces:
    return [part for piece in pieces for part in (separator, piece)][1:]


def _attribute_path(path: Sequence[AttrName]) -> _Pieces:
    return _joined([_attribute(name) for name in path], ".")


def _attribute(name: AttrName) -> _Pieces:
    if isinstance(name, nodes.StaticName):
        return [attribute(name.text)]
    return ['"${', name.expr, '}"']


def _joined(groups: Iterable[_Pieces], separator: str) -> _Pieces:
    return [piece for group in groups for piece in (separator, *group)][1:]


def _bindings(bindings: Iterable[nodes.Binding | nodes.Inherit]) -> _Pieces:
    """Inherited names, those from elsewhere, the others by name, and last the computed ones."""
    inherited: list[nodes.StaticName] = []
    elsewhere: _Pieces = []
    static: list[nodes.Binding] = []
    dynamic: list[nodes.Binding] = []
    for binding in bindings:
        if isinstance(binding, nodes.Binding):
            (dynamic if isinstance(binding.path[0], nodes.DynamicName) else static).append(binding)
        elif binding.source is None:
            inherited += binding.names
        elif binding.names:
            elsewhere += ["inherit (", binding.source, f"){_names(binding.names)}; "]
    plain: _Pieces = [f"inherit{_names(inherited)}; "] if inherited else []
    assigned = [*sorted(static, key=_first_name), *dynamic]
    return plain + elsewhere + [piece for binding in assigned for piece in _assignment(binding)]


def _assignment(binding: nodes.Binding) -> _Pieces:
    return [*_attribute_path(binding.path), " = ", binding.value, "; "]


def _names(names: Iterable[nodes.StaticName]) -> str:
    return "".join([f" {attribute(text)}" for text in sorted([name.text for name in names], key=_bytes)])


def _first_name(binding: nodes.Binding) -> bytes:
    first = binding.path[0]
    return _bytes(first.text) if isinstance(first, nodes.StaticName) else b""


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _formals(formals: nodes.Formals) -> _Pieces:
    groups: list[_Pieces] = []
    for entry in sorted(formals.entries, key=lambda entry: _bytes(entry.name)):
        groups.append([entry.name] if entry.default is None else [entry.name, " ? ", entry.default])
    return _joined([*groups, ["..."]] if formals.ellipsis else groups, ", ")
