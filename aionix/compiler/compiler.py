"""From a syntax tree to code: the front door of the compiler."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from aionix.bytecode.chunk import Lambda
from aionix.compiler import definitions, expressions  # noqa: F401 # they register their handlers
from aionix.compiler.context import Compiler
from aionix.errors import CompileError, InternalError, UndefinedVariable
from aionix.source import Source
from aionix.syntax.nodes import Expr
from aionix.warnings import EvalWarning


class CompileResult(NamedTuple):
    """`code` is None exactly if there are errors. They come in the order in which C++ Nix finds
    them: what is defined twice, by place; then undefined variables."""

    code: Lambda | None
    errors: list[CompileError]
    warnings: list[EvalWarning]


def compile_expression(
    expr: Expr,
    source: Source,
    *,
    global_names: frozenset[str],
    base_dir: str,
    checkpoint: Callable[[], None] | None = None,
) -> CompileResult:
    """Compiles a file or expression.

    `base_dir` is what relative paths begin with, absolute; `global_names` may be read without a
    binding. `checkpoint` is called every few hundred expressions. The compiler recurses as deep as the
    tree does: the caller lifts Python's recursion limit.
    """
    compiler = Compiler(source, global_names, base_dir, checkpoint)
    try:
        compiler.strict(expr)
    except CompileError as error:  # what cannot be left out: code too large to jump over
        compiler.errors.append(error)
        return CompileResult(None, _in_order(compiler.errors), compiler.warnings)
    code = compiler.finish("toplevel", None, expr.span)
    if compiler.errors:
        return CompileResult(None, _in_order(compiler.errors), compiler.warnings)
    if compiler.out.height != 1 or compiler.scope.positions:
        raise InternalError(f"the compiler left {compiler.out.height} values")
    return CompileResult(code, [], compiler.warnings)


def _in_order(errors: list[CompileError]) -> list[CompileError]:
    undefined = [error for error in errors if isinstance(error, UndefinedVariable)]
    others = [error for error in errors if not isinstance(error, UndefinedVariable)]
    return [*sorted(others, key=lambda error: error.span or (0, 0)), *undefined]
