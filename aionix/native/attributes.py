"""Attribute sets, and the patterns of functions that take them."""

from __future__ import annotations

from typing import cast

from aionix.bytecode.chunk import Instruction
from aionix.bytecode.opcodes import Op
from aionix.native.context import Translator, op
from aionix.native.operands import UNKNOWN, Operand, guess_attribute
from aionix.native.operators import all_of
from aionix.native.writer import Untranslatable
from aionix.source import Span
from aionix.values.attrs import AttrSet


@op(Op.ATTRS)
def attrs(t: Translator, one: Instruction) -> None:
    names = t.chunk.attr_names.get(one.offset) if one.arg else ()
    spans = t.chunk.attr_spans.get(one.offset, (None,) * one.arg)
    count = 2 * one.arg
    items = t.stack[-count:] if count else []
    t.settle()
    if count:
        del t.stack[-count:]
    out = t.out
    if names is None:
        listed = ", ".join([item.text for item in items])
        t.push(f"build_dynamic([{listed}], {out.constant(spans, ('spans', one.offset))})", kind="AttrSet")
        return
    if not count:
        t.push("AttrSet()", kind="AttrSet")
        return
    texts = [item.text for item in items]
    pairs = ", ".join([f"{name}: {value}" for name, value in zip(texts[::2], texts[1::2], strict=True)])
    name = out.name()
    out.line(f"{name} = AttrSet({{{pairs}}})")
    positions: dict[str, Span] = {n: span for n, span in zip(names, spans, strict=True) if span}
    out.line(f"{name}.positions = {out.constant(positions, ('positions', one.offset))}")
    t.stack.append(Operand(name, kind="AttrSet"))


@op(Op.ATTRS_UPDATE)
def update(t: Translator, one: Instruction) -> None:
    right, left = t.stack.pop(), t.stack.pop()
    left_text, right_text = t.both(left, right)
    unknown = [operand.text for operand in (left, right) if operand.kind != "AttrSet"]
    quick = f"update({left_text}, {right_text})"
    if unknown:
        quick += f" if {all_of('AttrSet', unknown)} else update_sets({left_text}, {right_text})"
    t.push(f"({quick})", kind="AttrSet")


@op(Op.ATTRS_SELECT)
def select(t: Translator, one: Instruction) -> None:
    name, subject = t.stack.pop(), t.stack.pop()
    known = subject.value if subject.constant and name.constant else None
    if type(known) is AttrSet and name.value in known:
        value = known[cast(str, name.value)]
        lazy = type(value) is list
        path = (*subject.path, cast(str, name.value))
        text = t.from_scope(path, value)
        t.stack.append(Operand(text, lazy, value=value, constant=not lazy, path=path))
        return
    out = t.out
    t.settle()
    if not name.constant or type(name.value) is not str:
        _, name_text = t.both(subject, name)
        name_variable = out.name()
        out.line(f"{name_variable} = {named(name_text)}")
        name = Operand(name_variable)
    elif subject.pending or subject.constant:
        t.name_it(subject)
    place = subject.text, name.text
    if place not in t.facts.found:
        result = out.name()
        with out.block("try:"):
            out.line(f"{result} = {subject.text}[{name.text}]")
        with out.block("except (KeyError, TypeError):"):
            out.line(f"not_there({subject.text}, {name.text})")
        t.facts.found[place] = result
    guess = guess_attribute(t.guesses.get(subject.text), cast(str, name.value)) if name.constant else UNKNOWN
    t.stack.append(Operand(t.facts.found[place], lazy=True, guess=guess))


def named(text: str) -> str:
    """The name of an attribute that is computed."""
    return f"({text} if type({text}) is str else attribute_name({text}))"


@op(Op.ATTRS_TRY_SELECT)
def try_select(t: Translator, one: Instruction) -> None:
    name, subject = t.stack.pop(), t.stack.pop()
    subject_text, name_text = t.both(subject, name)
    if subject.constant:
        t.name_it(subject)
        subject_text = subject.text
    if not name.constant or type(name.value) is not str:
        t.push(f"try_select({subject_text}, {named(name_text)})", lazy=True)
    elif subject.kind == "AttrSet":
        t.push(f"{subject_text}.get({name_text}, NOT_FOUND)", lazy=True)
    else:
        found = f"{subject_text}.get({name_text}, NOT_FOUND)"
        t.push(f"({found} if type({subject_text}) is AttrSet else NOT_FOUND)", lazy=True)


@op(Op.HAS_ATTR)
def has_attr(t: Translator, one: Instruction) -> None:
    name, subject = t.stack.pop(), t.stack.pop()
    subject_text, name_text = t.both(subject, name)
    if not name.constant or type(name.value) is not str:
        quick = f"type({subject_text}) is AttrSet and {name_text} in {subject_text}"
        slow = f"has_attribute({subject_text}, attribute_name({name_text}))"
        t.push(f"({quick} if type({name_text}) is str else {slow})", kind="bool")
    else:
        t.push(f"(type({subject_text}) is AttrSet and {name_text} in {subject_text})", kind="bool")


@op(Op.VALIDATE_CLOSED_FORMALS)
def formals(t: Translator, one: Instruction) -> None:
    t.settle()
    argument = t.stack[-1]
    formals = t.code.formals
    if formals is None:
        raise Untranslatable("a pattern without names")
    keys = f"{argument.text}.keys()"
    required = frozenset([name for name, has_default in formals.names.items() if not has_default])
    allowed = frozenset(formals.names)
    tests = []
    if required == allowed and not formals.ellipsis:
        tests.append(f"{keys} == {t.out.constant(allowed)}" if allowed else f"not {argument.text}")
    else:
        if required:
            tests.append(f"{keys} >= {t.out.constant(required)}")
        if not formals.ellipsis:
            tests.append(f"{keys} <= {t.out.constant(allowed)}")
    if tests:
        with t.out.block(f"if not ({' and '.join(tests)}):"):
            t.out.line(f"check_formals({t.out.constant(t.code, ('code',))}, {argument.text})")


@op(Op.ASSERT_ATTRS)
def assert_attrs(t: Translator, one: Instruction) -> None:
    if t.stack[-1].kind == "AttrSet":
        return
    t.settle()
    text = t.stack.pop().text
    with t.out.block(f"if type({text}) is not AttrSet:"):
        t.out.line(f"not_a('a set', {text})")
    t.facts.kinds[text] = "AttrSet"
    t.stack.append(Operand(text, kind="AttrSet"))
