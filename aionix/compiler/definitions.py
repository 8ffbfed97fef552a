"""Sets, `let`, and functions: everything that brings names into scope.

A group of bindings is laid out on the stack so: first a hidden slot for each source of an
`inherit (e)`, then the static definitions (of sets: name, value, name, value ...), all of which may
refer to each other through deferred upvalues; then `Finalise`; then the dynamic ones, whose
names are evaluated and so must not come sooner.
"""

from __future__ import annotations

from aionix.bytecode.chunk import Formals as FormalNames
from aionix.bytecode.opcodes import Op
from aionix.compiler.bindings import Bindings, Code, Definition, Scoped, with_overrides
from aionix.compiler.context import Compiler, lazy, strict
from aionix.compiler.scope import Local
from aionix.source import Span
from aionix.syntax.nodes import AttrSet, Formal, Formals, Lambda, LegacyLet, Let, Select, StaticName, Var

# Sets


@strict(AttrSet)
def attr_set(c: Compiler, node: AttrSet) -> None:
    bindings(c, c.bindings[node])


@strict(LegacyLet)
def legacy_let(c: Compiler, node: LegacyLet) -> None:
    bindings(c, c.bindings[node])
    c.out.constant("body", node.span)
    c.out.op(Op.ATTRS_SELECT, node.span)
    c.out.op(Op.FORCE, node.span)


@strict(Bindings)
def bindings(c: Compiler, node: Bindings) -> None:
    if node.recursive and "__overrides" in node.static:
        c.strict(with_overrides(node))
        return
    group = _Group(c, node, stride=2)
    group.push(scoped=node.recursive)
    spans: list[Span | None] = [definition.span for _, definition in group.definitions]
    for name, value in node.dynamic:
        c.attribute_name(name)
        c.lazy(value)
        spans.append(name.span)
    offset = c.out.op_arg(Op.ATTRS, len(spans), node.span)
    if spans:
        c.out.chunk.attr_spans[offset] = tuple(spans)
    if not node.dynamic:
        c.out.chunk.attr_names[offset] = tuple([name for name, _ in group.definitions])
    group.close()
    if node.sources:
        c.out.op_arg(Op.CLOSE_SCOPE, len(node.sources), node.span)


# Let


@strict(Let)
def let(c: Compiler, node: Let) -> None:
    _let_in(c, c.bindings[node], node.body, node.span)


@strict(Scoped)
def scoped(c: Compiler, node: Scoped) -> None:
    _let_in(c, node.bindings, node.body, node.span)


def _let_in(c: Compiler, merged: Bindings, body: Code, span: Span) -> None:
    group = _Group(c, merged, stride=1)
    group.push(scoped=True)
    c.strict(body)
    group.close()
    slots = len(merged.sources) + len(merged.static)
    if slots:
        c.out.op_arg(Op.CLOSE_SCOPE, slots, span)


class _Group:
    """The static bindings of one set or `let` on their way to the stack; `stride` slots for each."""

    def __init__(self, c: Compiler, merged: Bindings, stride: int) -> None:
        self.c = c
        self.stride = stride
        self.sources = merged.sources
        self.definitions = merged.in_order()
        self.hidden: list[Local] = []
        self.named: list[Local] = []
        self.deferred: list[tuple[int, Span]] = []

    def push(self, scoped: bool) -> None:
        """Emits all values; in a `let` or `rec` they see each other."""
        base = self.c.out.height
        first = base + len(self.sources)
        if scoped:
            self._declare(first)
        self.hidden = [
            self.c.declare(self.c.hidden_name(), base + index)
            for index, source in enumerate(self.sources)
        ]
        for local, source in zip(self.hidden, self.sources, strict=True):
            self._emit(source, None, local.slot)
            local.initialised = True
        self._define_all()
        for slot, span in self.deferred:
            self.c.out.op_arg(Op.FINALISE, slot, span)

    def _declare(self, first: int) -> None:
        for index, (name, _) in enumerate(self.definitions):
            slot = first + index * self.stride + self.stride - 1
            self.named.append(self.c.declare(name, slot))

    def _define_all(self) -> None:
        for index, (name, definition) in enumerate(self.definitions):
            if self.stride == 2:
                self.c.out.constant(name, definition.span)
            local = self.named[index] if self.named else None
            self._define(name, definition, local)
            if local is not None:
                local.initialised = True

    def _define(self, name: str, definition: Definition, local: Local | None) -> None:
        slot = self.c.out.height
        if definition.kind == "source":
            source = Var(self.hidden[definition.source].name, definition.span)
            path = (StaticName(name, definition.span),)
            self._emit(Select(source, path, None, definition.span), name, slot)
        elif definition.kind == "outer" and local is not None:
            self.c.scope.hide(local)
            self._emit(definition.value, name, slot)
            self.c.scope.reveal(local)
        else:
            self._emit(definition.value, name, slot)

    def _emit(self, value: Code, name: str | None, slot: int) -> None:
        out = self.c.out
        out.deferred = False
        # A thunk's name is for traces, which tell of attributes only, as those of C++ Nix do.
        self.c.lazy(value, name if self.stride == 2 or type(value) is Lambda else None)
        if out.deferred:
            self.deferred.append((slot, value.span))

    def close(self) -> None:
        self.c.close(self.hidden)
        self.c.close(self.named)


# Functions


@strict(Lambda)
def function(c: Compiler, node: Lambda) -> None:
    _function(c, node, None, Op.CLOSURE)


@lazy(Lambda)
def lazy_function(c: Compiler, node: Lambda, name: str | None) -> None:
    _function(c, node, name, Op.THUNK_CLOSURE)


def _function(c: Compiler, node: Lambda, name: str | None, op: Op) -> None:
    formals = None if node.formals is None else _formal_names(node.formals)
    captures = c.captures.get(node)
    if captures is not None:
        c.defer(captures, op, name, node.span, node.name, formals)
        return
    around = c.enter(height=1)
    function_body(c, node, name)
    c.leave(around, op, name, node.span, node.name, formals)


def function_body(c: Compiler, node: Lambda, name: str | None) -> None:
    """What the function of that name does when it is called."""
    parameters = _parameters(c, node)
    if isinstance(node.body, Lambda):  # `f = a: b: ...`: both are called `f`, as in C++ Nix
        _function(c, node.body, name, Op.CLOSURE)
    else:
        c.strict(node.body)
    c.close(parameters)


def _parameters(c: Compiler, node: Lambda) -> list[Local]:
    """Declares the parameters; those of a pattern are unpacked to slots of their own."""
    parameters = []
    if node.formals is not None:
        for op in (Op.FORCE, Op.ASSERT_ATTRS, Op.VALIDATE_CLOSED_FORMALS):
            c.out.op(op, node.formals.span)
    if node.name is not None:
        parameters.append(c.declare(node.name, 0, initialised=True))
    if node.formals is not None:
        parameters += _unpack(c, node.formals)
    return parameters


def _unpack(c: Compiler, formals: Formals) -> list[Local]:
    locals_ = [c.declare(formal.name, slot) for slot, formal in enumerate(formals.entries, c.out.height)]
    deferred = []
    for local, formal in zip(locals_, formals.entries, strict=True):
        c.out.deferred = False
        _unpack_one(c, formal)
        local.initialised = True
        if c.out.deferred:
            deferred.append((local.slot, formal.span))
    for slot, span in deferred:
        c.out.op_arg(Op.FINALISE, slot, span)
    return locals_


def _unpack_one(c: Compiler, formal: Formal) -> None:
    out = c.out
    out.op_arg(Op.GET_LOCAL, 0, formal.span)
    out.constant(formal.name, formal.span)
    if formal.default is None:
        out.op(Op.ATTRS_SELECT, formal.span)
        return
    out.op(Op.ATTRS_TRY_SELECT, formal.span)
    missing = out.jump(Op.JUMP_IF_NOT_FOUND, formal.span)
    end = out.jump(Op.JUMP, formal.span)
    out.height -= 1
    out.land(missing)
    c.lazy(formal.default, formal.name if type(formal.default) is Lambda else None)
    out.land(end)


def _formal_names(formals: Formals) -> FormalNames:
    return FormalNames(
        {formal.name: formal.default is not None for formal in formals.entries},
        formals.ellipsis,
        {formal.name: formal.span for formal in formals.entries},
    )
