"""Thunks and closures, and calls: of known functions, directly, with simple arguments computed at once."""

from __future__ import annotations

from contextlib import nullcontext
from typing import cast

from aionix.bytecode.chunk import Instruction, Lambda
from aionix.bytecode.opcodes import Op, Position
from aionix.native.context import Translator, op
from aionix.native.known import Known, arithmetic, known_function
from aionix.native.operands import Late, Operand, Unmade
from aionix.native.operators import all_ints
from aionix.values.functions import Builtin
from aionix.values.numbers import INT_MAX, INT_MIN
from aionix.values.thunk import Value


@op(Op.CLOSURE, Op.THUNK_CLOSURE, Op.THUNK_SUSPENDED)
def closure(t: Translator, one: Instruction) -> None:
    t.settle()
    code = cast(Lambda, t.chunk.constants[one.arg])
    is_closure = one.op is not Op.THUNK_SUSPENDED
    function = t.unit.body(code) if is_closure else t.unit.entry(code)
    out = t.out
    if any([position.is_deferred for position in one.positions]):
        name = out.name()
        entry = "closed" if is_closure else out.constant(function)
        out.line(f"{name} = [{entry}, None]")
        late = Late(name, function, is_closure, one.positions, one.captures_with)
        t.stack.append(Operand(name, lazy=True, late=late))
        return
    texts = captures(t, one.positions)
    upvalues = tuple_of(t, texts, one.captures_with)
    if not is_closure:
        text = f"[{out.constant(function)}, {upvalues}]"
        t.stack.append(Operand(text, lazy=True, pending=True, thunk=Unmade(code, texts)))
        return
    text = f"MethodType({out.constant(function)}, {upvalues})"
    if one.op is Op.THUNK_CLOSURE:
        text = f"[closed, {text}]"
    t.stack.append(Operand(text, lazy=one.op is not Op.CLOSURE, pending=True))


@op(Op.FINALISE)
def finalise(t: Translator, one: Instruction) -> None:
    t.settle()
    late = t.stack[one.arg].late
    if late is None:
        return
    upvalues = captured(t, late.positions, late.captures_with)
    if late.closure:
        upvalues = f"MethodType({t.out.constant(late.function)}, {upvalues})"
    with t.out.block(f"if {late.guard}:") if late.guard else nullcontext():
        t.out.line(f"{late.variable}[1] = {upvalues}")
    t.stack[one.arg].late = None


def captured(t: Translator, positions: tuple[Position, ...], captures_with: bool) -> str:
    return tuple_of(t, captures(t, positions), captures_with)


def captures(t: Translator, positions: tuple[Position, ...]) -> list[str]:
    texts = []
    for position in positions:
        if position.is_upvalue:
            texts.append(f"u{position.index}")
        else:
            if t.stack[position.index].pending:
                t.settle_all()
            texts.append(t.stack[position.index].text)
    return texts


def tuple_of(t: Translator, texts: list[str], captures_with: bool) -> str:
    if captures_with:
        texts = [*texts, t.withs]
    return f"({''.join([f'{text}, ' for text in texts])})"


@op(Op.CALL)
def call(t: Translator, one: Instruction) -> None:
    function = t.stack.pop()
    if function.constant and isinstance(function.value, Builtin):
        call_builtin(t, function.value, t.stack.pop())
        return
    if function.pending or function.constant:
        t.count_call()
        t.settle()
        t.name_it(function)
    known = speculate(t, function, one)
    if known is None:
        call_unknown(t, function, t.stack.pop())
    else:
        call_known(t, function, known)


def call_unknown(t: Translator, function: Operand, argument: Operand) -> None:
    t.count_call()
    t.settle()
    if argument.pending and argument.thunk is None:
        t.name_it(argument)
    name = t.out.name()
    t.out.line(f"{name} = {t.called(function.text, argument.text)}")
    t.stack.append(Operand(name))


def call_builtin(t: Translator, function: Builtin, argument: Operand) -> None:
    t.count_call()
    t.settle()
    if argument.pending and argument.thunk is None:
        t.name_it(argument)
    out = t.out
    name = out.name()
    if function.arity == 1:
        out.line(f"{name} = {out.constant(function.run)}")
        out.line(f"{name} = {name}({argument.text})")
    else:
        out.line(f"{name} = PartialApplication({out.constant(function)}, ({argument.text},))")
    t.stack.append(Operand(name))


def speculate(t: Translator, function: Operand, one: Instruction) -> Known | None:
    """What the function has been so far, if it is an upvalue; how many arguments it is given follows."""
    index = t.origins.get(function.text)
    if index is None or index >= len(t.sample):
        return None
    at = t.at[one.offset]
    count = 1
    while t.found[at + count].op is Op.CALL and count < len(t.stack):
        count += 1
    for wanted in range(count, 0, -1):
        known = known_function(t.sample[index], wanted)
        if known is not None:
            return known
    return None


def call_known(t: Translator, function: Operand, known: Known) -> None:
    """The call, and those that follow it, in one; if it turns out to be another function, one by one."""
    count = len(known.strict)
    t.count_call()
    arguments = [t.stack.pop() for _ in range(count)]
    t.settle()
    out = t.out
    for argument in reversed(arguments):
        if argument.pending and argument.thunk is None:
            t.name_it(argument)
    body, closure, name = out.name(), out.name(), out.name()
    out.line(f"{closure} = {out.constant(known.closure)}")
    with out.block(f"if {function.text} is {closure}:"):
        out.line(f"{body} = {out.constant(known.function)}")
        texts = [
            early(t, argument) if strict else variable(t, argument)
            for argument, strict in zip(arguments, known.strict, strict=True)
        ]
        out.line(f"{name} = {body}({innermost(t, known, texts)}, {texts[-1]})")
    with out.block("else:"):
        previous = function.text
        for argument in arguments:
            text = variable(t, argument)
            out.line(f"{name} = {t.called(previous, text)}")
            previous = name
    t.skip = count - 1
    t.stack.append(Operand(name))


def variable(t: Translator, argument: Operand) -> str:
    """The argument, a thunk perhaps that is made now."""
    if not argument.pending:
        return argument.text
    name = t.out.name()
    t.out.line(f"{name} = {argument.text}")
    return name


def early(t: Translator, argument: Operand) -> str:
    """The argument's value, where that takes nothing but arithmetic on integers; else a thunk."""
    simple = None if argument.thunk is None else arithmetic(argument.thunk.code)
    if simple is None or argument.thunk is None:
        return variable(t, argument)
    texts = [operand_of(t, part, argument.thunk) for part in simple[1:]]
    parts = zip(texts, simple[1:], strict=True)
    variables = sorted({text for text, part in parts if type(part) is not int})
    if not variables:
        return variable(t, argument)
    out = t.out
    name = out.name()
    test = all_ints(variables)
    # Adding a positive constant cannot become too small, taking one away not too large.
    one_way = simple.sign if type(simple.right) is int and simple.right >= 0 else ""
    low = "" if one_way == "+" else f"{INT_MIN} <= "
    high = "" if one_way == "-" else f" <= {INT_MAX}"
    with out.block(f"if not ({test} and {low}({name} := {texts[0]} {simple.sign} {texts[1]}){high}):"):
        out.line(f"{name} = {argument.text}")
    return name


def operand_of(t: Translator, part: Position | int, thunk: Unmade) -> str:
    if type(part) is int:
        return t.out.constant(part)
    text = thunk.captured[cast(Position, part).index]
    return t.facts.forced.get(text, text)


def innermost(t: Translator, known: Known, arguments: list[str]) -> str:
    """The upvalues of the function at the end of the links."""
    out = t.out
    if not known.links:
        return out.constant(known.closure.__self__)
    upvalues = [out.constant(each) for each in cast(tuple[Value, ...], known.closure.__self__)]
    for link, argument in zip(known.links, arguments[:-1], strict=True):
        upvalues = [upvalues[p.index] if p.is_upvalue else argument for p in link.positions]
    return f"({''.join([f'{text}, ' for text in upvalues])})"
