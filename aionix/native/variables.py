"""Constants, variables, `with`, and forcing."""

from __future__ import annotations

from dataclasses import replace

from aionix.bytecode.chunk import Global, Instruction
from aionix.bytecode.opcodes import Op
from aionix.native.context import Translator, op
from aionix.native.operands import Operand
from aionix.values.paths import Path


@op(Op.CONSTANT)
def constant(t: Translator, one: Instruction) -> None:
    value = t.chunk.constants[one.arg]
    path: tuple[str, ...] = ()
    if type(value) is Global:
        path = (value.name,)
        value = t.unit.scope[value.name]
        text = t.from_scope(path, value)
    else:
        text = t.out.constant(value, ("path", value.text) if isinstance(value, Path) else None)
    lazy = type(value) is list
    kind = None if lazy else type(value).__name__
    t.stack.append(Operand(text, lazy, kind, value=value, constant=not lazy, path=path))


@op(Op.GET_LOCAL)
def local(t: Translator, one: Instruction) -> None:
    source = t.stack[one.arg]
    if source.pending:
        t.settle_all()
    t.stack.append(replace(source, late=None, thunk=None, origin=None))


@op(Op.GET_UPVALUE)
def upvalue(t: Translator, one: Instruction) -> None:
    t.stack.append(Operand(f"u{one.arg}", lazy=True, origin=one.arg))


@op(Op.FORCE)
def force(t: Translator, one: Instruction) -> None:
    operand = t.stack[-1]
    if not operand.lazy:
        return
    t.stack.pop()
    twin = t.facts.forced.get(operand.text)
    if twin is None:
        twin = t.forced(operand)
    t.stack.append(Operand(twin, kind=t.facts.kinds.get(twin)))


@op(Op.PUSH_WITH)
def push_with(t: Translator, one: Instruction) -> None:
    t.settle_all()
    name = t.out.name()
    t.out.line(f"{name} = ({t.stack[one.arg].text}, {t.withs})")
    t.namespaces.append(t.withs)
    t.withs = name


@op(Op.POP_WITH)
def pop_with(t: Translator, one: Instruction) -> None:
    t.withs = t.namespaces.pop()


@op(Op.RESOLVE_WITH)
def resolve_with(t: Translator, one: Instruction) -> None:
    name = t.stack.pop()
    slow = t.slow("resolve_with", name.text, t.withs)
    if t.withs == "None":
        t.push(slow, lazy=True)
        return
    innermost = f"{t.withs}[0]"
    names = t.facts.forced.get(innermost) or t.forced(Operand(innermost, lazy=True))
    quick = f"{names}[{name.text}]"
    t.push(f"({quick} if type({names}) is AttrSet and {name.text} in {names} else {slow})", lazy=True)


@op(Op.CLOSE_SCOPE)
def close_scope(t: Translator, one: Instruction) -> None:
    t.settle()
    result = t.stack.pop()
    if one.arg:
        del t.stack[-one.arg :]
    t.stack.append(result)


@op(Op.POP)
def drop(t: Translator, one: Instruction) -> None:
    t.stack.pop()


@op(Op.FIND_FILE)
def find_file(t: Translator, one: Instruction) -> None:
    t.count_call()
    name = t.pop()
    find, path = [t.from_scope((name,), t.unit.scope[name]) for name in ("__findFile", "__nixPath")]
    t.push(f"call2({find}, {path}, {name.text})")


@op(Op.RESOLVE_HOME_PATH)
def home_path(t: Translator, one: Instruction) -> None:
    t.push(f"home_path({t.pop().text})")
