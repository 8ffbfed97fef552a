"""From a syntax tree to code: the front door of the compiler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

from aionix.bytecode.chunk import Chunk, Lambda
from aionix.bytecode.opcodes import Op
from aionix.compiler import expressions
from aionix.compiler.context import Compiler
from aionix.compiler.definitions import function_body
from aionix.compiler.emit import Emitter
from aionix.compiler.resolver import Captures, Resolver
from aionix.errors import CompileError, DuplicateAttribute, InternalError, UndefinedVariable
from aionix.source import Source
from aionix.syntax import ParseOptions, nodes, parse
from aionix.syntax.nodes import Expr
from aionix.warnings import EvalWarning

#: Paths in one text, above which none is told: it is a list of everything, as nixpkgs' all-packages.nix is
#: with its 7,000.
MAX_PATHS = 200


class CompileResult(NamedTuple):
    """`code` is None exactly if there are errors. They come in the order in which C++ Nix finds
    them: what is defined twice, by place; then undefined variables. `paths` are the literal ones."""

    code: Lambda | None
    errors: list[CompileError]
    warnings: Sequence[EvalWarning]
    paths: tuple[str, ...] = ()


class Text(NamedTuple):
    """A text and what its meaning depends on.

    `base_dir` is what relative paths begin with, absolute; `global_names` may be read without a
    binding. `checkpoint` is called every few hundred expressions. The compiler recurses as deep as the
    tree does: the caller lifts Python's recursion limit.
    """

    source: Source
    global_names: frozenset[str]
    base_dir: str
    checkpoint: Callable[[], None] | None = None
    pipe_operators: bool = False

    def compiled(self, expr: Expr) -> CompileResult:
        """The code of the whole text, which was parsed to `expr`. All that is wrong with it is found now;
        what lies inside is compiled when it first runs."""
        resolver = Resolver(self.source, self.global_names, self.checkpoint)
        resolver.visit(expr)
        errors, warnings = resolver.errors, resolver.warnings
        if errors:
            return CompileResult(None, _in_order(errors), warnings)
        compiler = Compiler(self.source, self.base_dir, resolver, self.later, self.checkpoint)
        try:
            compiler.strict(expr)
        except CompileError as error:  # code too large to jump over
            return CompileResult(None, [error], warnings)
        code = compiler.finish("toplevel", None, expr.span)
        if compiler.out.height != 1 or compiler.scope.positions:
            raise InternalError(f"the compiler left {compiler.out.height} values")
        return CompileResult(code, [], warnings, self._paths(resolver))

    def _paths(self, resolver: Resolver) -> tuple[str, ...]:
        nodes = [node for node in resolver.paths if node.kind != "home"]
        if len(nodes) > MAX_PATHS:
            return ()
        return tuple(dict.fromkeys([expressions.absolute(node, self.base_dir) for node in nodes]))

    def later(self, code: Lambda, names: tuple[str, ...]) -> Chunk:
        """The chunk of a piece of the text whose upvalues have these names.

        From the text once more: to keep the tree of all that never runs would take more than its code.
        """
        source, (start, end) = self.source, code.span
        piece = Source(source.name, source.text[start - source.base : end - source.base], start)
        expr = parse(piece, ParseOptions(self.pipe_operators), checkpoint=self.checkpoint)
        outer = Captures(names, code.captures_with)
        resolver = Resolver(piece, self.global_names, self.checkpoint, outer)
        resolver.visit(expr)
        compiler = Compiler(source, self.base_dir, resolver, self.later, self.checkpoint, outer)
        if code.kind == "function":
            compiler.out = Emitter(height=1)
            function_body(compiler, cast(nodes.Lambda, expr), code.name)
        else:
            compiler.strict(expr)
        compiler.out.op(Op.RETURN, code.span)
        return compiler.out.chunk


def compile_expression(
    expr: Expr,
    source: Source,
    *,
    global_names: frozenset[str],
    base_dir: str,
    checkpoint: Callable[[], None] | None = None,
) -> CompileResult:
    """Compiles a file or expression: see `Text`."""
    return Text(source, global_names, base_dir, checkpoint).compiled(expr)


def _in_order(errors: list[CompileError]) -> list[CompileError]:
    undefined = [error for error in errors if isinstance(error, UndefinedVariable)]
    others = [error for error in errors if not isinstance(error, UndefinedVariable)]
    return [*sorted(others, key=_found_at), *undefined]


def _found_at(error: CompileError) -> int:
    if isinstance(error, DuplicateAttribute):
        return error.found_at
    return 0 if error.span is None else error.span.start
