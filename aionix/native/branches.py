"""Branches: the compiler emits few shapes of jumps, which become `if` blocks again."""

from __future__ import annotations

from aionix.bytecode.opcodes import Op
from aionix.native.context import Translator, jump
from aionix.native.operands import Operand
from aionix.native.writer import Untranslatable

_CLOSURES = (Op.CLOSURE, Op.THUNK_CLOSURE, Op.THUNK_SUSPENDED)


@jump(Op.JUMP_IF_FALSE)
def if_false(t: Translator, index: int) -> int:
    one = t.found[index]
    target = t.at[one.arg]
    before = t.found[target - 1]
    is_if = t.found[target].op is Op.POP and before.op is Op.JUMP and before.arg > one.arg
    if is_if and t.found[index + 1].op is Op.POP:
        return if_else(t, index, target, before.arg)
    return short_circuit(t, index, True)


@jump(Op.JUMP_IF_TRUE)
def if_true(t: Translator, index: int) -> int:
    return short_circuit(t, index, False)


def if_else(t: Translator, index: int, target: int, end: int) -> int:
    """`if c then a else b`, or an assertion: `target` is the instruction where `b` begins."""
    out = t.out
    condition = t.stack.pop()
    if condition.pending and not t.counted and not t.returns(end):
        t.settle()
        t.name_it(condition)
    t.settle_all()
    height = len(t.stack)
    if condition.kind != "bool":
        condition = t.named(condition)
        with out.block(f"if type({condition.text}) is not bool:"):
            out.line(f"not_a('a Boolean', {condition.text})")
    returns = t.returns(end)
    result = None if returns else out.name()
    if not returns:
        t.count_if_needed(index, end)
    counted = t.counted
    before, stack, facts = t.found[target - 1], list(t.stack), t.facts.copy()
    withs = t.withs
    kinds = []
    with out.block(f"if {condition.text}:", t.where(condition)):
        kinds.append(arm(t, index + 2, before.offset, result))
    t.stack, t.facts, t.withs, t.counted = list(stack), facts.copy(), withs, counted
    fails = ends_with_failure(t, target, end)
    if returns:
        arm(t, target + 1, end, None)
    else:
        with out.block("else:"):
            kinds.append(arm(t, target + 1, end, result))
    t.stack, t.facts, t.withs = stack[: left(t, index, height)], facts, withs
    if result is None:
        return -1
    kind = kinds[0] if kinds[0] == kinds[-1] or fails else None
    t.stack.append(Operand(result, kind=kind))
    return t.at[end]


def left(t: Translator, index: int, count: int) -> int:
    """How many of `count` operands are left after the branches of an assertion have dropped theirs."""
    index += 2
    while t.found[index].op is Op.POP:
        count -= 1
        index += 1
    return count


def ends_with_failure(t: Translator, target: int, end: int) -> bool:
    return t.found[t.at[end] - 1].op is Op.ASSERT_FAIL


def arm(t: Translator, index: int, end: int, result: str | None) -> str | None:
    """One way of an `if`: its value goes to `result`, or is returned. Gives the value's type."""
    if t.region(index, end) < 0:
        return None
    if result is None:
        t.finish()
        return None
    value = t.stack[-1]
    if value.late is not None:
        raise Untranslatable("a late value in a branch")
    t.assign(result, value)
    return value.kind


def short_circuit(t: Translator, index: int, when: bool) -> int:
    """`a && b`, `a || b`: the right side runs if the left is `when`."""
    one = t.found[index]
    out = t.out
    left = t.named(t.stack.pop())
    t.settle_all()
    t.count_if_needed(index, one.arg)
    result = out.name()
    out.line(f"{result} = {left.text}")
    if left.kind != "bool":
        with out.block(f"if type({result}) is not bool:"):
            out.line(f"not_a('a Boolean', {result})")
    facts = t.facts.copy()
    stack = list(t.stack)
    with out.block(f"if {result}:" if when else f"if not {result}:"):
        if t.found[index + 1].op is not Op.POP:
            raise Untranslatable("a jump of another shape")
        if t.region(index + 2, one.arg) >= 0:
            t.assign(result, t.stack[-1])
    t.facts, t.stack = facts, stack
    t.stack.append(Operand(result, kind="bool"))
    return t.at[one.arg]


@jump(Op.JUMP_IF_NOT_FOUND)
def if_not_found(t: Translator, index: int) -> int:
    """A selection with a default, from the first name that may be missing to the default's end."""
    out = t.out
    miss = t.found[index].arg
    jump = t.found[t.at[miss] - 1]
    if jump.op is not Op.JUMP or jump.arg <= miss:
        raise Untranslatable("a default of another shape")
    found = t.named(t.stack.pop())
    t.settle_all()
    t.count_if_needed(index, jump.arg)
    result = out.name()
    out.line(f"{result} = {found.text}")
    facts, stack = t.facts.copy(), list(t.stack)
    t.stack.append(Operand(result, lazy=True))
    before = len(out.lines)
    lazy = found_region(t, index + 1, jump.offset, miss, result)
    one_way = not any([o.op is Op.JUMP_IF_NOT_FOUND for o in t.found[index + 1 : t.at[miss]]])
    otherwise = "else:" if one_way and len(out.lines) > before else f"if {result} is NOT_FOUND:"
    kind = t.stack[-1].kind if t.stack else None
    t.facts, t.stack = facts.copy(), list(stack)
    guard = None
    if t.found[t.at[miss]].op in _CLOSURES and any(
        [position.is_deferred for position in t.found[t.at[miss]].positions]
    ):
        guard = out.name()
        out.line(f"{guard} = {result} is NOT_FOUND")
        otherwise = f"if {guard}:"
    default = None
    with out.block(otherwise):
        if t.region(t.at[miss], jump.arg) >= 0:  # else it has returned
            default = t.stack[-1]
            t.assign(result, default)
    t.facts, t.stack = facts, stack
    if default is None:
        t.stack.append(Operand(result, lazy, kind))
        return t.at[jump.arg]
    operand = Operand(result, lazy or default.lazy, kind if kind == default.kind else None)
    if default.late is not None:
        if guard is None:
            raise Untranslatable("a late default of another shape")
        default.late.guard, default.late.variable = guard, result
        operand.late = default.late
    t.stack.append(operand)
    return t.at[jump.arg]


def found_region(t: Translator, index: int, end: int, miss: int, result: str) -> bool:
    """What is done with what was found, up to `end`; is the result possibly lazy?"""
    one = t.found[index]
    if one.offset == end:
        return t.stack[-1].lazy
    with t.out.block(f"if {result} is not NOT_FOUND:"):
        while one.offset != end:
            t.out.offset = one.offset
            if one.op is Op.JUMP_IF_NOT_FOUND and one.arg == miss:
                t.assign(result, t.stack.pop())
                t.facts.forget(result)
                t.stack.append(Operand(result, lazy=True))
                return found_region(t, index + 1, end, miss, result)
            index = t.step(index)
            if index < 0:
                raise Untranslatable("a default that returns")
            one = t.found[index]
        value = t.stack[-1]
        if value.text != result:
            t.assign(result, value)
        return value.lazy
