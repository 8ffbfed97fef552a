"""The bytecode interpreter: direct style, one Python call to a force or to a call of Nix.

`run` is one long function on purpose: it is the dispatch loop, its locals are the frame, and a
helper per instruction would double its cost. What is rare or long lives in `vm.operations`.

A thunk stays where it is when it has been forced: its value is not put in its place, in a slot or
in a set, because which thunk an element is decides whether `==` takes functions for the same.
"""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING

from aionix.errors import InternalError, NixError
from aionix.values import attrs
from aionix.values.arithmetic import add, concatenate_lists, divide, multiply, negate, subtract
from aionix.values.attrs import AttrSet
from aionix.values.coercion import coerce_to_string
from aionix.values.equality import equal
from aionix.values.functions import call, call2
from aionix.values.kinds import type_error
from aionix.values.ordering import less_than
from aionix.values.strings import join
from aionix.values.thunk import Value
from aionix.vm.decode import Code
from aionix.vm.instructions import (
    ADD,
    ASSERT_ATTRS,
    ASSERT_FAIL,
    ATTRS,
    BRANCH,
    CALL,
    CLOSE_SCOPE,
    CLOSURE,
    COERCE,
    CONCAT,
    CONSTANT,
    DIV,
    DYNAMIC_ATTRS,
    EQUAL,
    FINALISE,
    FIND_FILE,
    FORCE,
    FORMALS,
    HAS_ATTR,
    HAS_ATTR_DYNAMIC,
    HOME_PATH,
    INVERT,
    JUMP,
    JUMP_IF_FALSE,
    JUMP_IF_NOT_FOUND,
    JUMP_IF_TRUE,
    LESS,
    LESS_OR_EQUAL,
    LIST,
    LOCAL,
    LOCAL_FORCE,
    MORE,
    MORE_OR_EQUAL,
    MUL,
    OBSERVE,
    POP,
    POP_WITH,
    PUSH_WITH,
    RESOLVE_WITH,
    RETURN,
    SELECT,
    SELECT_DYNAMIC,
    SELECT_FORCE,
    SELF_CLOSURE,
    THUNK,
    TRY_SELECT,
    TRY_SELECT_DYNAMIC,
    UPDATE,
    UPVALUE_FORCE,
)  # fmt: skip
from aionix.vm.operations import (
    NOT_FOUND,
    attribute_name,
    build_dynamic,
    check_formals,
    closed,
    fail_assertion,
    finalise,
    has_attribute,
    home_path,
    missing_attribute,
    resolve_with,
    try_select,
)

if TYPE_CHECKING:
    pass

_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1


def run(code: Code, upvalues: tuple[Value, ...], stack: list[Value]) -> Value:
    """Runs decoded `code` to its `Return`; `stack` holds the argument of a function."""
    instructions = code.instructions
    push, pop = stack.append, stack.pop
    withs = upvalues[-1] if code.captures_with else None
    ip = 0
    try:
        while True:
            op, arg = instructions[ip]
            ip += 1
            if op < CALL:
                if op == LOCAL_FORCE:
                    value = stack[arg]
                    if type(value) is list:
                        value = value[1] if value[0] is None else value[0](value)
                    push(value)
                elif op == UPVALUE_FORCE:
                    value = upvalues[arg]
                    if type(value) is list:
                        value = value[1] if value[0] is None else value[0](value)
                    push(value)
                elif op == CONSTANT:
                    push(arg)
                elif op == LOCAL:
                    push(stack[arg])
                else:  # UPVALUE
                    push(upvalues[arg])
            elif op == CALL:
                value = pop()
                if type(value) is MethodType:
                    push(value(pop()))
                else:
                    push(call(value, pop()))
            elif op == THUNK:
                entry, capture = arg
                push([entry, (withs,) if capture is None else capture(stack, upvalues, withs)])
            elif op == RETURN:
                return stack[-1]
            elif op == SELECT_FORCE:
                subject = pop()
                if type(subject) is not AttrSet:
                    raise type_error("a set", subject)
                try:
                    value = subject[arg]
                except KeyError:
                    raise missing_attribute(subject, arg) from None
                if type(value) is list:
                    value = value[1] if value[0] is None else value[0](value)
                push(value)
            elif op == FORCE:
                value = stack[-1]
                if type(value) is list:
                    stack[-1] = value[1] if value[0] is None else value[0](value)
            elif op < ATTRS:
                if op == BRANCH:
                    value = pop()
                    if value is False:
                        ip = arg
                    elif value is not True:
                        raise type_error("a Boolean", value)
                elif op == JUMP_IF_FALSE:
                    value = stack[-1]
                    if value is False:
                        ip = arg
                    elif value is not True:
                        raise type_error("a Boolean", value)
                elif op == POP:
                    pop()
                elif op == JUMP:
                    ip = arg
                elif op == CLOSURE:
                    body, capture = arg
                    captured = (withs,) if capture is None else capture(stack, upvalues, withs)
                    push(MethodType(body, captured))
                elif op == EQUAL:
                    right = pop()
                    left = stack[-1]
                    if type(left) is int is type(right):
                        stack[-1] = left == right
                    else:
                        stack[-1] = equal(left, right)
                elif op == ADD:
                    right = pop()
                    left = stack[-1]
                    if type(left) is int is type(right) and _INT_MIN <= (value := left + right) <= _INT_MAX:
                        stack[-1] = value
                    else:
                        stack[-1] = add(left, right)
                else:  # SUB
                    right = pop()
                    left = stack[-1]
                    if type(left) is int is type(right) and _INT_MIN <= (value := left - right) <= _INT_MAX:
                        stack[-1] = value
                    else:
                        stack[-1] = subtract(left, right)
            elif op < SELECT:
                if op == ATTRS:
                    count, positions = arg
                    if count:
                        value = AttrSet(zip(stack[-count::2], stack[1 - count :: 2]))  # type: ignore[arg-type] # noqa: B905
                        del stack[-count:]
                        value.positions = positions
                    else:
                        value = AttrSet()
                    push(value)
                elif op == FINALISE:
                    finalise(stack, arg)
                elif op == CLOSE_SCOPE:
                    value = pop()
                    del stack[-arg:]
                    push(value)
                elif op == LIST:
                    if arg:
                        items = tuple(stack[-arg:])
                        del stack[-arg:]
                        push(items)
                    else:
                        push(())
                elif op == COERCE:
                    strong, copy = arg
                    if type(stack[-1]) is not str:
                        stack[-1] = coerce_to_string(stack[-1], strong=strong, copy=copy)
                else:  # INTERPOLATE
                    parts = stack[-arg:]
                    del stack[-arg:]
                    push(join(parts))  # type: ignore[arg-type]
            elif op < LESS:
                if op == SELECT:
                    subject = pop()
                    if type(subject) is not AttrSet:
                        raise type_error("a set", subject)
                    try:
                        push(subject[arg])
                    except KeyError:
                        raise missing_attribute(subject, arg) from None
                elif op == TRY_SELECT:
                    stack[-1] = try_select(stack[-1], arg)
                elif op == JUMP_IF_NOT_FOUND:
                    if stack[-1] is NOT_FOUND:
                        pop()
                        ip = arg
                elif op == HAS_ATTR:
                    value = stack[-1]
                    stack[-1] = type(value) is AttrSet and arg in value
                elif op == UPDATE:
                    right = pop()
                    left = stack[-1]
                    if type(left) is not AttrSet:
                        raise type_error("a set", left)
                    if type(right) is not AttrSet:
                        raise type_error("a set", right)
                    stack[-1] = attrs.update(left, right)
                elif op == INVERT:
                    value = stack[-1]
                    if type(value) is not bool:
                        raise type_error("a Boolean", value)
                    stack[-1] = not value
                elif op == JUMP_IF_TRUE:
                    value = stack[-1]
                    if value is True:
                        ip = arg
                    elif value is not False:
                        raise type_error("a Boolean", value)
                else:  # ASSERT_BOOL
                    if type(stack[-1]) is not bool:
                        raise type_error("a Boolean", stack[-1])
            elif op < ASSERT_ATTRS:
                right = pop()
                if op == LESS:
                    left = stack[-1]
                    stack[-1] = left < right if type(left) is int is type(right) else less_than(left, right)
                elif op == LESS_OR_EQUAL:
                    stack[-1] = not less_than(right, stack[-1])
                elif op == MORE:
                    stack[-1] = less_than(right, stack[-1])
                elif op == MORE_OR_EQUAL:
                    stack[-1] = not less_than(stack[-1], right)
                elif op == CONCAT:
                    stack[-1] = concatenate_lists(stack[-1], right)
                elif op == MUL:
                    stack[-1] = multiply(stack[-1], right)
                elif op == DIV:
                    stack[-1] = divide(stack[-1], right)
                else:  # NEGATE
                    push(negate(right))
            elif op == ASSERT_ATTRS:
                if type(stack[-1]) is not AttrSet:
                    raise type_error("a set", stack[-1])
            elif op == FORMALS:
                check_formals(arg, stack[-1])
            elif op == PUSH_WITH:
                withs = (stack[arg], withs)
            elif op == POP_WITH:
                withs = withs[1]  # type: ignore[index]  # (namespace, the withs around it)
            elif op == RESOLVE_WITH:
                stack[-1] = resolve_with(stack[-1], withs)  # type: ignore[arg-type]  # the name is a constant
            elif op == SELF_CLOSURE:
                body, capture = arg
                later: list[Value] = []
                push([closed, MethodType(body, later)])
                later += (withs,) if capture is None else capture(stack, upvalues, withs)
            elif op == DYNAMIC_ATTRS:
                count, spans = arg
                pairs = stack[-count:]
                del stack[-count:]
                push(build_dynamic(pairs, spans))
            elif op == SELECT_DYNAMIC:
                name = attribute_name(pop())
                subject = stack[-1]
                if type(subject) is not AttrSet:
                    raise type_error("a set", subject)
                if name not in subject:
                    raise missing_attribute(subject, name)
                stack[-1] = subject[name]
            elif op == TRY_SELECT_DYNAMIC:
                name = attribute_name(pop())
                stack[-1] = try_select(stack[-1], name)
            elif op == HAS_ATTR_DYNAMIC:
                name = attribute_name(pop())
                stack[-1] = has_attribute(stack[-1], name)
            elif op == FIND_FILE:
                find, path = arg
                stack[-1] = call2(find, path, stack[-1])
            elif op == HOME_PATH:
                stack[-1] = home_path(stack[-1])
            elif op == ASSERT_FAIL:
                fail_assertion(pop())
            elif op == OBSERVE:
                observer, index = arg
                observer.execute(code.lambda_, index, stack)
            else:
                raise InternalError(f"instruction {op}")
    except NixError as error:
        error.place(code.span_of(ip - 1))
        raise
