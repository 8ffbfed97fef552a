"""The state of one compilation: which Lambda is being written, and how names are read.

An expression is compiled in one of two ways. `strict` leaves its evaluated value on the stack;
`lazy` leaves a value or a thunk, as C++ Nix's `maybeThunk` does: literals and variables that
are there already are read at once, everything else is a thunk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from aionix.bytecode.chunk import Formals, Global, Lambda
from aionix.bytecode.opcodes import Op
from aionix.compiler.bindings import Bindings, Code, collect, normalise
from aionix.compiler.emit import Emitter
from aionix.compiler.scope import Local, Scope
from aionix.errors import CompileError, DuplicateAttribute, UndefinedVariable
from aionix.source import Source, Span
from aionix.syntax import pretty
from aionix.syntax.nodes import AttrName, Binding, Inherit, StaticName, Var
from aionix.warnings import EvalWarning, WarningKind

if TYPE_CHECKING:
    from typing import Literal

N = TypeVar("N")
Strict: TypeAlias = "Callable[[Compiler, N], None]"
Lazy: TypeAlias = "Callable[[Compiler, N, str | None], None]"

_STRICT: dict[type, Strict[Code]] = {}
_LAZY: dict[type, Lazy[Code]] = {}

# A checkpoint costs a clock reading; this many expressions take well under a millisecond.
NODES_PER_CHECKPOINT = 200

#: A branch with more source text than this is compiled as a thunk, so that jumps stay under
#: 65,536 bytes of code: the worst source found needs six bytes of code a byte (`a+a+a`).
MAX_INLINE_BRANCH = 8_000

# Looking for similar names is slow in a large scope; nobody reads more hints than this.
MAX_HINTS = 10


def strict(*kinds: type) -> Callable[[Strict[N]], Strict[N]]:
    """Registers how nodes of these `kinds` are compiled to leave their value."""

    def register(handler: Strict[N]) -> Strict[N]:
        for kind in kinds:
            _STRICT[kind] = cast("Strict[Code]", handler)
        return handler

    return register


def lazy(*kinds: type) -> Callable[[Lazy[N]], Lazy[N]]:
    """Registers how nodes of these `kinds` are compiled where their value is not needed yet."""

    def register(handler: Lazy[N]) -> Lazy[N]:
        for kind in kinds:
            _LAZY[kind] = cast("Lazy[Code]", handler)
        return handler

    return register


class Compiler:
    """Turns one file into Lambdas; `scope` and `out` belong to the innermost unfinished one."""

    def __init__(
        self,
        source: Source,
        global_names: frozenset[str],
        base_dir: str,
        checkpoint: Callable[[], None] | None,
    ) -> None:
        self.source = source
        self.global_names = global_names
        self.base_dir = base_dir
        self.errors: list[CompileError] = []
        self.warnings: list[EvalWarning] = []
        self.scope = Scope(None)
        self.out = Emitter()
        self._checkpoint = checkpoint
        self._countdown = NODES_PER_CHECKPOINT
        self._declared: set[str] = set()
        self._hidden = 0

    # Expressions

    def strict(self, node: Code) -> None:
        """Compiles `node` so that it leaves its value."""
        self._countdown -= 1
        if self._countdown < 0:
            self._countdown = NODES_PER_CHECKPOINT
            if self._checkpoint is not None:
                self._checkpoint()
        _STRICT[type(node)](self, node)

    def lazy(self, node: Code, name: str | None = None) -> None:
        """Compiles `node` so that it leaves a value or a thunk; `name` is what it is bound to."""
        handler = _LAZY.get(type(node))
        if handler is None:
            self.thunk(node, name)
        else:
            handler(self, node, name)

    def branch(self, node: Code) -> None:
        """`strict` for code that is jumped over, and so must not be too large."""
        start, end = node.span
        if end - start <= MAX_INLINE_BRANCH:
            self.strict(node)
        else:
            self.thunk(node)
            self.out.op(Op.FORCE, node.span)

    def thunk(self, node: Code, name: str | None = None) -> None:
        """Leaves a thunk of `node`, whatever it is."""
        around = self.enter()
        self.strict(node)
        self.leave(around, Op.THUNK_SUSPENDED, name, node.span)

    # Lambdas

    def enter(self, height: int = 0) -> tuple[Scope, Emitter]:
        """Begins a Lambda inside the present one, which is returned for `leave`."""
        around = self.scope, self.out
        self.scope, self.out = Scope(self.scope), Emitter(height)
        return around

    def leave(
        self,
        around: tuple[Scope, Emitter],
        op: Op,
        name: str | None,
        span: Span,
        parameter: str | None = None,
        formals: Formals | None = None,
    ) -> None:
        """Ends the Lambda begun by `enter`, and emits the `op` that makes it a thunk or function."""
        kind: Literal["thunk", "function"] = "thunk" if op is Op.THUNK_SUSPENDED else "function"
        scope = self.scope
        blueprint = self.finish(kind, name, span, parameter, formals)
        self.scope, self.out = around
        self.out.closure(op, blueprint, scope.positions, span)

    def finish(
        self,
        kind: Literal["toplevel", "thunk", "function"],
        name: str | None,
        span: Span,
        parameter: str | None = None,
        formals: Formals | None = None,
    ) -> Lambda:
        """The Lambda that is now complete."""
        self.out.op(Op.RETURN, span)
        scope = self.scope
        upvalues = len(scope.positions)
        return Lambda(
            self.out.chunk, kind, name, parameter, formals, upvalues, scope.captures_with, span
        )

    # Names

    def declare(self, name: str, slot: int, span: Span, initialised: bool = False) -> Local:
        """A new local that the program named."""
        if name in self.global_names:
            self.warn(WarningKind.SHADOWED_GLOBAL, span, name)
        if name.startswith("__"):
            self._declared.add(name)
        return self.scope.declare(name, slot, span, initialised)

    def close(self, locals_: Iterable[Local], report_unused: bool) -> None:
        """The locals go out of scope."""
        for local in locals_:
            self.scope.hide(local)
            if report_unused and not local.used and not local.name.startswith(("_", " ")):
                self.warn(WarningKind.UNUSED_BINDING, local.span, local.name)

    def hidden_name(self) -> str:
        """A name for a local of the compiler's own; programs cannot write blanks in names."""
        self._hidden += 1
        return f" {self._hidden}"

    def overridden(self, name: str) -> bool:
        """Does the program bind `name`, a function behind an operator, here?"""
        return name in self._declared and self.is_lexical(name)

    def is_lexical(self, name: str) -> bool:
        """Is `name` a local or an upvalue here?"""
        return self.scope.find(name) is not None or self.scope.upvalue(name) is not None

    def is_global(self, name: str) -> bool:
        """Does `name` mean the global here?"""
        return name in self.global_names and not self.is_lexical(name)

    def variable(self, node: Var) -> bool:
        """Emits what reads `node` if that needs no evaluation; the result may be lazy."""
        name, scope = node.name, self.scope
        local = scope.find(name)
        if local is not None:
            if local.initialised:
                self.out.op_arg(Op.GET_LOCAL, local.slot, node.span)
            return local.initialised
        index = scope.upvalue(name)
        if index is not None:
            self.out.op_arg(Op.GET_UPVALUE, index, node.span)
        elif name in self.global_names:
            self.out.constant(Global(name), node.span)
        elif scope.has_with:
            return False
        else:
            self._undefined(node)
        return True

    def with_variable(self, node: Var) -> None:
        """Emits the search for `node` in the `with`s around."""
        self.scope.capture_with()
        self.out.constant(node.name, node.span)
        self.out.op(Op.RESOLVE_WITH, node.span)

    def _undefined(self, node: Var) -> None:
        message = f"undefined variable '{node.name}'"
        self.errors.append(UndefinedVariable(message, span=node.span, hint=self._similar(node.name)))
        self.out.constant(None, node.span)

    def _similar(self, name: str) -> str | None:
        if len(self.errors) >= MAX_HINTS:
            return None
        visible = {*self.scope.names(), *self.global_names}
        ordinary = [other for other in visible if not other.startswith((" ", "__"))]
        close = get_close_matches(name, ordinary, cutoff=0.7)
        return f"Did you mean {' or '.join(sorted(close))}?" if close else None

    # Bindings and names of attributes

    def collect(self, nodes: Sequence[Binding | Inherit], recursive: bool, span: Span) -> Bindings:
        for node in nodes:
            if type(node) is Inherit and not node.names:
                self.warn(WarningKind.EMPTY_INHERIT, node.span)
        return collect(nodes, recursive, span, self._clash)

    def _clash(self, path: Sequence[AttrName], second: Span, first: Span) -> None:
        line, column = self.source.position(first.start)
        place = f"{self.source.name}:{line}:{column}"
        shown = ".".join([show_name(name) for name in path])
        self.errors.append(DuplicateAttribute(f"attribute '{shown}' already defined at {place}", span=second))

    def attribute_name(self, name: AttrName) -> None:
        """Leaves the name, evaluated."""
        if isinstance(name, StaticName):
            self.out.constant(name.text, name.span)
        else:
            self.strict(name.expr)

    def warn(self, kind: WarningKind, span: Span, detail: str = "") -> None:
        self.warnings.append(EvalWarning(kind, span, detail))


def show_name(name: AttrName) -> str:
    """An attribute's name as error messages show it."""
    if isinstance(name, StaticName):
        return pretty.attribute(name.text)
    return '"${' + pretty.show(normalise(name.expr)) + '}"'
