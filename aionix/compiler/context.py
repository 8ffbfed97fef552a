"""The second pass: which Lambda is being written, and how names are read.

An expression is compiled in one of two ways. `strict` leaves its evaluated value on the stack;
`lazy` leaves a value or a thunk, as C++ Nix's `maybeThunk` does: literals and variables that
are there already are read at once, everything else is a thunk. What `Resolver` found to be worth
it is compiled when it first runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from aionix.bytecode.chunk import DeferredLambda, Formals, Global, Lambda, Later
from aionix.bytecode.opcodes import Op
from aionix.compiler.bindings import Bindings, Code
from aionix.compiler.emit import Emitter, too_large_to_jump
from aionix.compiler.resolver import NODES_PER_CHECKPOINT, NOTHING, Captures, Resolver
from aionix.compiler.scope import Local, Scope
from aionix.errors import InternalError
from aionix.source import Source, Span
from aionix.syntax.nodes import AttrName, StaticName, Var

if TYPE_CHECKING:
    from typing import Literal

N = TypeVar("N")
Strict: TypeAlias = "Callable[[Compiler, N], None]"
Lazy: TypeAlias = "Callable[[Compiler, N, str | None], None]"

_STRICT: dict[type, Strict[Code]] = {}
_LAZY: dict[type, Lazy[Code]] = {}


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
    """Turns one text, or one piece of it, into Lambdas; `scope` and `out` belong to the innermost unfinished
    one. `outer` has the names of what the piece takes from around."""

    def __init__(
        self,
        source: Source,
        base_dir: str,
        resolved: Resolver,
        later: Later,
        checkpoint: Callable[[], None] | None,
        outer: Captures = NOTHING,
    ) -> None:
        self.source = source
        self.base_dir = base_dir
        self.bindings: dict[Code, Bindings] = resolved.bindings
        self.captures: dict[Code, Captures] = resolved.captures
        self.scope = Scope(None, outer.names, outer.captures_with)
        self.out = Emitter()
        self._global_names = resolved.global_names
        self._later = later
        self._checkpoint = checkpoint
        self._countdown = NODES_PER_CHECKPOINT
        self._declared = {name for name in outer.names if name.startswith("__")}
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
        if too_large_to_jump(node.span):
            self.thunk(node)
            self.out.op(Op.FORCE, node.span)
        else:
            self.strict(node)

    def thunk(self, node: Code, name: str | None = None) -> None:
        """Leaves a thunk of `node`, whatever it is."""
        captures = self.captures.get(node)
        if captures is not None:
            self.defer(captures, Op.THUNK_SUSPENDED, name, node.span)
            return
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

    def defer(
        self,
        captures: Captures,
        op: Op,
        name: str | None,
        span: Span,
        parameter: str | None = None,
        formals: Formals | None = None,
    ) -> None:
        """Instead of `enter` and `leave`: a Lambda that is compiled when it first runs."""
        kind: Literal["thunk", "function"] = "thunk" if op is Op.THUNK_SUSPENDED else "function"
        scope = Scope(self.scope)
        names, captures_with = captures
        for name_ in names:
            scope.upvalue(name_)
        if captures_with:
            scope.capture_with()
        blueprint = DeferredLambda(
            kind, name, parameter, formals, captures_with, span, names, self._later
        )
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

    def declare(self, name: str, slot: int, initialised: bool = False) -> Local:
        """A new local."""
        if name.startswith("__"):
            self._declared.add(name)
        return self.scope.declare(name, slot, initialised)

    def close(self, locals_: Iterable[Local]) -> None:
        """The locals go out of scope."""
        for local in locals_:
            self.scope.hide(local)

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
        return name in self._global_names and not self.is_lexical(name)

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
        elif name in self._global_names:
            self.out.constant(Global(name), node.span)
        elif scope.has_with:
            return False
        else:
            raise InternalError(f"the variable '{name}' was not resolved")
        return True

    def with_variable(self, node: Var) -> None:
        """Emits the search for `node` in the `with`s around."""
        self.scope.capture_with()
        self.out.constant(node.name, node.span)
        self.out.op(Op.RESOLVE_WITH, node.span)

    # Names of attributes

    def attribute_name(self, name: AttrName) -> None:
        """Leaves the name, evaluated."""
        if isinstance(name, StaticName):
            self.out.constant(name.text, name.span)
        else:
            self.strict(name.expr)
