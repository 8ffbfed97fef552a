"""Constants, variables, `with`, and forcing."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from aionix.bytecode.chunk import Global, Instruction
from aionix.bytecode.opcodes import Op
from aionix.native.context import Translator, op
from aionix.native.operands import UNKNOWN, Operand, guess_attribute
from aionix.values.paths import Path
from aionix.values.thunk import Value
from aionix.vm.operations import Withs


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
    t.stack.append(replace(source, late=None, thunk=None, guess=UNKNOWN))


@op(Op.GET_UPVALUE)
def upvalue(t: Translator, one: Instruction) -> None:
    guess = t.sample[one.arg] if one.arg < len(t.sample) else UNKNOWN
    t.stack.append(Operand(f"u{one.arg}", lazy=True, guess=guess))


@op(Op.FORCE)
def force(t: Translator, one: Instruction) -> None:
    operand = t.stack[-1]
    if not operand.lazy:
        return
    t.stack.pop()
    twin = t.facts.forced.get(operand.text)
    if twin is None:
        twin = opened(t, operand.text) if operand.text in t.closures else t.forced(operand)
    t.stack.append(Operand(twin, kind=t.facts.kinds.get(twin)))


def opened(t: Translator, thunk: str) -> str:
    """A variable with the function in a thunk that was made here around it."""
    name = t.out.name()
    t.out.line(f"{name} = {thunk}[1]")
    t.out.line(f"{thunk}[0] = None")
    t.facts.forced[thunk], t.facts.kinds[name] = name, "MethodType"
    return name


@op(Op.PUSH_WITH)
def push_with(t: Translator, one: Instruction) -> None:
    t.settle_all()
    name = t.out.name()
    t.out.line(f"{name} = ({t.stack[one.arg].text}, {t.withs})")
    t.namespaces.append(t.withs)
    t.namespace_guesses.append(t.stack[one.arg].guess)
    t.withs = name


@op(Op.POP_WITH)
def pop_with(t: Translator, one: Instruction) -> None:
    t.withs = t.namespaces.pop()
    t.namespace_guesses.pop()


@op(Op.RESOLVE_WITH)
def resolve_with(t: Translator, one: Instruction) -> None:
    operand = t.stack.pop()
    name = operand.text
    slow = t.slow("resolve_with", name, t.withs)
    if t.withs == "None":
        t.push(slow, lazy=True)
        return
    place = t.withs, name
    if place not in t.facts.found:
        find = remembered if is_deep(t) else looked_up
        t.facts.found[place] = find(t, name, slow)
    guess = guess_with(t, cast(str, operand.value))
    t.stack.append(Operand(t.facts.found[place], lazy=True, guess=guess))


def guess_with(t: Translator, name: str) -> Value:
    """What the `with`s had under `name`, as far as they are known."""
    namespaces = t.namespace_guesses[::-1]
    withs = cast(Withs, t.sample[-1]) if t.code.captures_with and t.sample else None
    while withs is not None:
        namespaces.append(withs[0])
        withs = withs[1]
    found = [guess_attribute(namespace, name) for namespace in namespaces]
    return next((guess for guess in found if guess is not UNKNOWN), UNKNOWN)


#: So many `with`s around each other are not gone through every time: `with import ./lists.nix; with ...` at
#: the beginning of a file makes chains of six, and what is in the outermost is used most.
DEEP = 3


def is_deep(t: Translator) -> bool:
    """Are there many `with`s, and all of them around this code, so that they are the same for most runs?"""
    if t.namespaces:
        return False
    # How many there are is a matter of the text: it is the same whenever the code runs.
    withs, count = cast(Withs, t.sample[-1]), 0
    while withs is not None:
        withs, count = withs[1], count + 1
    return count >= DEEP


def remembered(t: Translator, name: str, slow: str) -> str:
    """A variable with what the `with`s around had under `name` when they were last the same."""
    t.settle()
    out = t.out
    cell, result = out.cell(), out.name()
    with out.block(f"if {cell}[0] is not {t.withs}:"):
        out.line(f"{cell}[1] = {slow}")
        out.line(f"{cell}[0] = {t.withs}")
    out.line(f"{result} = {cell}[1]")
    return result


def looked_up(t: Translator, name: str, slow: str) -> str:
    """A variable with what the `with`s around have under `name`, perhaps a thunk."""
    t.settle()
    out = t.out
    innermost = f"{t.withs}[0]"
    names = t.facts.forced.get(innermost) or t.forced(Operand(innermost, lazy=True))
    if t.facts.kinds.get(names) != "AttrSet":
        with out.block(f"if type({names}) is not AttrSet:"):
            out.line(f"not_a('a set', {names})")
        t.facts.kinds[names] = "AttrSet"
    quick = f"{names}[{name}] if {name} in {names}"
    outer = around(t)
    result = out.name()
    if outer is None:
        out.line(f"{result} = {quick} else {slow}")
        return result
    with out.block(f"if {name} in {names}:"):
        out.line(f"{result} = {names}[{name}]")
    with out.block("else:"):
        more = t.forced(Operand(f"{outer}[0]", lazy=True, pending=True, offset=out.offset))
        found = f"type({more}) is AttrSet and {name} in {more}"
        out.line(f"{result} = {more}[{name}] if {found} else {slow}")
    return result


def around(t: Translator) -> str | None:
    """The `with`s around the innermost one; None if there are none."""
    if t.namespaces:
        return None if t.namespaces[-1] == "None" else t.namespaces[-1]
    outer = cast(Withs, t.sample[-1])
    return None if outer is None or outer[1] is None else f"{t.withs}[1]"


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
