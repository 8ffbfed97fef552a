"""Constants, variables, `with`, and forcing."""

from __future__ import annotations

from aionix.bytecode.chunk import Global, Instruction
from aionix.bytecode.opcodes import Op
from aionix.native.context import Translator, op
from aionix.native.operands import Operand


@op(Op.CONSTANT)
def constant(t: Translator, one: Instruction) -> None:
    value = t.chunk.constants[one.arg]
    if type(value) is Global:
        value = t.unit.scope[value.name]
    lazy = type(value) is list
    kind = None if lazy else type(value).__name__
    t.stack.append(Operand(t.out.constant(value), lazy, kind, value=value, constant=not lazy))


@op(Op.GET_LOCAL)
def local(t: Translator, one: Instruction) -> None:
    source = t.stack[one.arg]
    if source.pending:
        t.settle_all()
    copy = Operand(source.text, source.lazy, source.kind, value=source.value, constant=source.constant)
    t.stack.append(copy)


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
    find, path = t.unit.scope["__findFile"], t.unit.scope["__nixPath"]
    t.push(f"call2({t.out.constant(find)}, {t.out.constant(path)}, {name.text})")


@op(Op.RESOLVE_HOME_PATH)
def home_path(t: Translator, one: Instruction) -> None:
    t.push(f"home_path({t.pop().text})")
