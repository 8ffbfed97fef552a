"""Operators, lists and strings. What is quick on integers is written out for them."""

from __future__ import annotations

from contextlib import nullcontext

from aionix.bytecode.chunk import Instruction
from aionix.bytecode.opcodes import Op
from aionix.native.context import Translator, op
from aionix.native.operands import Operand
from aionix.values.numbers import INT_MAX, INT_MIN


@op(Op.ADD)
def add(t: Translator, one: Instruction) -> None:
    arithmetic(t, one, "+", "add")


@op(Op.SUB)
def subtract(t: Translator, one: Instruction) -> None:
    arithmetic(t, one, "-", "subtract")


@op(Op.MUL)
def multiply(t: Translator, one: Instruction) -> None:
    arithmetic(t, one, "*", "multiply")


def arithmetic(t: Translator, one: Instruction, sign: str, helper: str) -> None:
    right, left = t.stack.pop(), t.stack.pop()
    left_text, right_text = t.both(left, right)
    out = t.out
    test = are_ints(t, left, right)
    if one.op is Op.ADD and test != "" and t.may_restart(one):
        t.count_call()  # what `+` may call must not be called twice
    name = out.name()
    slow = t.slow(helper, left_text, right_text)
    if test is None:
        out.line(f"{name} = {slow}")
        t.stack.append(Operand(name))
        return
    with out.block(f"if {test}:") if test else nullcontext():
        out.line(f"{name} = {left_text} {sign} {right_text}")
        with out.block(f"if not {INT_MIN} <= {name} <= {INT_MAX}:"):
            out.line(f"{helper}({left_text}, {right_text})")
    if test:
        with out.block("else:"):
            out.line(f"{name} = {slow}")
    t.stack.append(Operand(name, kind=None if test else "int"))


@op(Op.DIV)
def divide(t: Translator, one: Instruction) -> None:
    left, right = t.pair()
    t.push(f"divide({left}, {right})")


@op(Op.NEGATE)
def negate(t: Translator, one: Instruction) -> None:
    operand = t.pop()
    t.push(f"negate({operand.text})")


@op(Op.EQUAL)
def equal(t: Translator, one: Instruction) -> None:
    right, left = t.stack[-1], t.stack[-2]
    for operand, other in ((left, right), (right, left)):
        if operand.kind == "str" and operand.constant and not other.pending:
            t.stack[-2:] = []
            t.push(
                f"({other.text} == {operand.text} if type({other.text}) is str else "
                f"{t.slow('equal', left.text, right.text)})",
                kind="bool",
            )
            return
        if operand.kind == "NoneType" and not other.pending and not other.constant:
            t.stack[-2:] = []
            t.push(f"({other.text} is None)", kind="bool")
            return
    compare(t, "==", "equal")


@op(Op.LESS)
def less(t: Translator, one: Instruction) -> None:
    compare(t, "<", "less_than")


@op(Op.LESS_OR_EQ)
def less_or_equal(t: Translator, one: Instruction) -> None:
    compare(t, "<=", "less_than", swapped=True, negated=True)


@op(Op.MORE)
def more(t: Translator, one: Instruction) -> None:
    compare(t, ">", "less_than", swapped=True)


@op(Op.MORE_OR_EQ)
def more_or_equal(t: Translator, one: Instruction) -> None:
    compare(t, ">=", "less_than", negated=True)


def compare(t: Translator, sign: str, helper: str, swapped: bool = False, negated: bool = False) -> None:
    right, left = t.stack.pop(), t.stack.pop()
    left_text, right_text = t.both(left, right)
    test = are_ints(t, left, right)
    slow = t.slow(helper, *((right_text, left_text) if swapped else (left_text, right_text)))
    if negated:
        slow = f"(not {slow})"
    quick = f"{left_text} {sign} {right_text}"
    if test is None:
        text = slow
    else:
        text = f"({quick} if {test} else {slow})" if test else f"({quick})"
    t.push(text, kind="bool")


def are_ints(t: Translator, left: Operand, right: Operand) -> str | None:
    """What to test so that both are integers; "" if that is certain, None if it cannot be."""
    unknown = []
    for operand in (left, right):
        if operand.kind not in (None, "int"):
            return None
        if operand.kind is None and operand.text not in unknown:
            unknown.append(operand.text)
    return all_ints(unknown) if unknown else ""


@op(Op.INVERT)
def invert(t: Translator, one: Instruction) -> None:
    operand = t.named(t.stack.pop())  # a comparison that fails does so at its own place
    if operand.kind != "bool":
        with t.out.block(f"if type({operand.text}) is not bool:"):
            t.out.line(f"not_a('a Boolean', {operand.text})")
    t.push(f"(not {operand.text})", kind="bool")


@op(Op.ASSERT_BOOL)
def assert_bool(t: Translator, one: Instruction) -> None:
    if t.stack[-1].kind == "bool":
        return
    t.settle()
    text = t.stack.pop().text
    with t.out.block(f"if type({text}) is not bool:"):
        t.out.line(f"not_a('a Boolean', {text})")
    t.stack.append(Operand(text, kind="bool"))


@op(Op.LIST)
def list_(t: Translator, one: Instruction) -> None:
    t.settle()
    items = t.stack[-one.arg :] if one.arg else []
    if one.arg:
        del t.stack[-one.arg :]
    texts = "".join([f"{item.text}, " for item in items])
    t.push(f"({texts})", kind="tuple")


@op(Op.CONCAT)
def concat(t: Translator, one: Instruction) -> None:
    left, right = t.pair()
    t.push(f"concatenate_lists({left}, {right})", kind="tuple")


@op(Op.INTERPOLATE)
def interpolate(t: Translator, one: Instruction) -> None:
    t.settle()
    parts = t.stack[-one.arg :]
    del t.stack[-one.arg :]
    t.push(f"join(({', '.join([part.text for part in parts])}))")


@op(Op.COERCE_TO_STRING)
def coerce(t: Translator, one: Instruction) -> None:
    operand = t.stack[-1]
    if operand.kind == "str":
        return
    t.count_call()
    operand = t.pop()
    strong, copy = bool(one.arg & 1), bool(one.arg & 2)
    slow = f"coerce_to_string({operand.text}, strong={strong}, copy={copy})"
    t.push(f"({operand.text} if type({operand.text}) is str else {slow})")


@op(Op.ASSERT_FAIL)
def assert_fail(t: Translator, one: Instruction) -> None:
    message = t.pop()
    t.count_call()
    t.out.line(f"fail_assertion({message.text})")
    t.stack.append(Operand("None"))


def all_ints(variables: list[str]) -> str:
    return " is ".join([f"type({variables[0]})", "int", *[f"type({text})" for text in variables[1:]]])
