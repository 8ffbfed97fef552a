"""Operators, lists and strings. What is quick on integers is written out for them."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import cast

from aionix.bytecode.chunk import Instruction
from aionix.bytecode.opcodes import Op
from aionix.native.context import Translator, op
from aionix.native.operands import Operand
from aionix.values.limits import LARGE
from aionix.values.numbers import INT_MAX, INT_MIN

#: Parts of a string that are put together in line; of code, not of what is done.
MOST_PARTS = 16


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
    if one.op is Op.ADD and test != "":
        slow = added_strings(left, right, slow)
    if test is None:
        out.line(f"{name} = {slow}")
        t.stack.append(Operand(name))
        return
    with out.block(f"if {test}:") if test else nullcontext():
        out.line(f"{name} = {left_text} {sign} {right_text}")
        with out.block(f"if {overflows(name, one, left, right)}:"):
            out.line(f"{helper}({left_text}, {right_text})")
    if test:
        with out.block("else:"):
            out.line(f"{name} = {slow}")
    t.stack.append(Operand(name, kind=None if test else "int"))


def overflows(result: str, one: Instruction, left: Operand, right: Operand) -> str:
    """What to test of a sum, difference or product. With a constant it goes one way (10 ns of 60)."""
    more = natural(right) or (one.op is Op.ADD and natural(left))
    if more and one.op is Op.ADD:
        return f"{result} > {INT_MAX}"
    if more and one.op is Op.SUB:
        return f"{result} < {INT_MIN}"
    return f"not {INT_MIN} <= {result} <= {INT_MAX}"


def natural(operand: Operand) -> bool:
    """Is it a number that is written in the code? (These are not negative.)"""
    value = operand.value
    return operand.constant and not operand.path and type(value) is int and value >= 0


def added_strings(left: Operand, right: Operand, slow: str) -> str:
    """The sum of two values, of which at least one is no integer."""
    if left.kind not in (None, "str") or right.kind not in (None, "str"):
        return slow
    unknown = [operand.text for operand in (left, right) if operand.kind is None]
    if not unknown:  # CPython would add up what stands for two constants
        return slow
    tests = [all_of("str", unknown)]
    if not (left.constant and left.kind == "str" and cast(str, left.value).isascii()):
        tests.append(f"{left.text}.isascii()")
    tests.append(f"len({left.text}) + len({right.text}) < {LARGE}")
    return f"{left.text} + {right.text} if {' and '.join(tests)} else {slow}"


@op(Op.DIV)
def divide(t: Translator, one: Instruction) -> None:
    right, left = t.stack.pop(), t.stack.pop()
    left_text, right_text = t.both(left, right)
    test = are_ints(t, left, right)
    slow = f"divide({left_text}, {right_text})"
    if test is None:
        t.push(slow)
        return
    # Python rounds down: that is towards zero, where neither is negative.
    by_constant = right.constant and not right.path and cast(int, right.value) > 0
    tests = [test, f"{left_text} >= 0" if by_constant else f"{left_text} >= 0 < {right_text}"]
    quick = f"{left_text} // {right_text} if {' and '.join(filter(None, tests))}"
    t.push(f"({quick} else {slow})", kind=None if test else "int")


@op(Op.NEGATE)
def negate(t: Translator, one: Instruction) -> None:
    operand = t.pop()
    if operand.constant and not operand.path and type(operand.value) is int:
        # A literal is never negative: this is no overflow.
        t.stack.append(replace(operand, text=t.out.constant(-operand.value), value=-operand.value))
        return
    t.push(f"negate({operand.text})")


@op(Op.EQUAL)
def equal(t: Translator, one: Instruction) -> None:
    right, left = t.stack[-1], t.stack[-2]
    for operand, other in ((left, right), (right, left)):
        # Which side it is on makes a difference for the order in which both are looked at.
        slow = t.slow("equal", left.text, right.text)
        text = None if other.pending else equal_to_constant(operand, other, slow)
        if text is not None:
            t.stack[-2:] = []
            t.push(text, kind="bool")
            return
    compare(t, "==", "equal")


def equal_to_constant(operand: Operand, other: Operand, slow: str) -> str | None:
    """Is the variable `other` equal to `operand`? None if that is nothing special."""
    variable = other.text
    if operand.constant and operand.kind == "str":
        return f"({variable} == {operand.text} if type({variable}) is str else {slow})"
    if operand.constant and operand.kind in ("NoneType", "bool") and not other.constant:
        return f"({variable} is {operand.text})"
    if operand.text == "()":
        return f"(type({variable}) is tuple and not {variable})"
    if operand.text == "AttrSet()":  # whether another set is a derivation may have to be found out
        return f"(type({variable}) is AttrSet and (not {variable} or {slow}))"
    return None


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
    if left.kind is None and right.kind is None:
        test = either_way(t, left_text, right_text, sign)
    slow = t.slow(helper, *((right_text, left_text) if swapped else (left_text, right_text)))
    if negated:
        slow = f"(not {slow})"
    quick = f"{left_text} {sign} {right_text}"
    if test is None:
        text = slow
    else:
        text = f"({quick} if {test} else {slow})" if test else f"({quick})"
    t.push(text, kind="bool")


def either_way(t: Translator, left: str, right: str, sign: str) -> str:
    """What to test so that Python compares two values, of which nothing is known, as Nix does: that both are
    integers, or strings without context. (The order of others than ASCII ones is that of their bytes.)"""
    kind = t.out.name()
    as_bytes = "" if sign == "==" else f" and {left}.isascii() and {right}.isascii()"
    return f"({kind} := type({left})) is type({right}) and ({kind} is int or {kind} is str{as_bytes})"


def are_ints(t: Translator, left: Operand, right: Operand) -> str | None:
    """What to test so that both are integers; "" if that is certain, None if it cannot be."""
    unknown = []
    for operand in (left, right):
        if operand.kind not in (None, "int"):
            return None
        if operand.kind is None and operand.text not in unknown:
            unknown.append(operand.text)
    return all_of("int", unknown) if unknown else ""


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
    right, left = t.stack.pop(), t.stack.pop()
    left_text, right_text = t.both(left, right)
    slow = f"concatenate_lists({left_text}, {right_text})"
    if left.kind not in (None, "tuple") or right.kind not in (None, "tuple"):
        t.push(slow)
        return
    unknown = list(dict.fromkeys([operand.text for operand in (left, right) if operand.kind != "tuple"]))
    tests = [all_of("tuple", unknown)] if unknown else []
    tests.append(f"len({left_text}) + len({right_text}) < {LARGE // 8}")
    t.push(f"({left_text} + {right_text} if {' and '.join(tests)} else {slow})", kind="tuple")


@op(Op.INTERPOLATE)
def interpolate(t: Translator, one: Instruction) -> None:
    t.settle()
    parts = t.stack[-one.arg :]
    del t.stack[-one.arg :]
    slow = f"join(({', '.join([part.text for part in parts])}))"
    unknown = list(dict.fromkeys([part.text for part in parts if not (part.constant and part.kind == "str")]))
    if not unknown or len(parts) > MOST_PARTS:
        t.push(slow)
        return
    # A third of the time that `join` takes. What is written in a program is short, or LARGE by itself.
    out, name = t.out, t.out.name()
    size = " + ".join([f"len({part.text})" for part in parts if part.text in unknown])
    with out.block(f"if {all_of('str', unknown)} and {size} < {LARGE}:"):
        for part in parts:
            if not part.text.isidentifier():
                t.name_it(part)
        out.line(f'{name} = f"{"".join([f"{{{part.text}}}" for part in parts])}"')
        with out.block(f"if not {name}.isascii():"):
            out.line(f"{name} = {slow}")
    with out.block("else:"):
        out.line(f"{name} = {slow}")
    t.stack.append(Operand(name))


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


def all_of(kind: str, variables: list[str]) -> str:
    """What to test so that these are all of a type."""
    return " is ".join([f"type({variables[0]})", kind, *[f"type({text})" for text in variables[1:]]])
