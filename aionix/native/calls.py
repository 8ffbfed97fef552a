"""Calls: of known functions, directly, with simple arguments computed at once."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from aionix.bytecode.chunk import Instruction
from aionix.bytecode.opcodes import Op, Position
from aionix.native.context import Translator, op
from aionix.native.eager import early, variable
from aionix.native.inlined import LINES, in_sequence, written_out
from aionix.native.known import Known, known_function
from aionix.native.mapped import of_map
from aionix.native.operands import Operand
from aionix.values.attrs import AttrSet
from aionix.values.functions import Builtin, calling
from aionix.values.thunk import evaluated
from aionix.vm.linking import builtin_recipe, kin_recipe

#: What these builtins do with their first argument is to call it: nobody sees whether it was a thunk.
CALL_THE_FIRST = frozenset(
    "all any concatMap filter foldl' genList groupBy map mapAttrs partition sort zipAttrsWith".split()
)


@op(Op.CALL)
def call(t: Translator, one: Instruction) -> None:
    function = t.stack.pop()
    if function.constant and isinstance(function.value, Builtin):
        call_builtin(t, function, function.value, one)
        return
    if function.pending or function.constant:
        t.count_call()
        t.settle()
        t.name_it(function)
    known = speculate(t, function, one)
    if isinstance(known, Known):
        call_known(t, function, known, one)
    elif known is not None:
        call_known_builtin(t, function, known, one)
    else:
        (argument,) = take(t, 1)
        name = t.out.name()
        t.out.line(f"{name} = {t.called(function.text, argument.text)}")
        t.stack.append(Operand(name))


def call_builtin(t: Translator, operand: Operand, function: Builtin, one: Instruction) -> None:
    """A call of a builtin that is certain; with all its arguments, if they are given at once."""
    kind = None
    if arguments_given(t, one) + 1 >= function.arity:
        arguments = take(t, function.arity)
        name = t.out.name()
        kind = saturate(t, name, function, operand.path, arguments, one)
    else:
        (argument,) = take(t, 1)
        name = t.out.name()
        t.out.line(f"{name} = PartialApplication({operand.text}, ({argument.text},))")
    t.stack.append(Operand(name, kind=kind))


def saturate(
    t: Translator,
    name: str,
    builtin: Builtin,
    path: tuple[str, ...],
    arguments: list[Operand],
    one: Instruction,
) -> str | None:
    """Runs a builtin, to be found at `path`, with as many arguments as it takes. Gives the type of the
    result, if that is certain."""
    offset = call_offset(t, one, len(arguments))
    line = LINES.get(builtin.name) if builtin.standard else None
    unmade = [argument for argument in arguments if argument.thunk is not None]
    first = arguments[0].thunk
    bare = first.closure if first and builtin.standard and builtin.name in CALL_THE_FIRST else None
    t.skip = len(arguments) - 1
    if unmade == arguments[-1:] and of_map(t, name, builtin, path, arguments, offset):
        return None
    given = [bare] if bare else []
    given += [early(t, argument) for argument in arguments[len(given) :]]
    if builtin.standard and builtin.name == "seq":
        in_sequence(t, name, calling(builtin.name), given, offset)
        return None
    run = t.out.constant(builtin.run, builtin_recipe("run", path, builtin))
    if line is None or unmade == arguments:
        t.out.line(f"{name} = {run}({', '.join(given)})", offset)
    else:
        written_out(t, name, line, run, given, offset)
    return line.kind if line else None


def take(t: Translator, count: int) -> list[Operand]:
    """The arguments of a call, the first one first; those that are not thunks to be made are named."""
    t.count_call()
    arguments = [t.stack.pop() for _ in range(count)]
    t.settle()
    for argument in reversed(arguments):
        if argument.pending and argument.thunk is None:
            t.name_it(argument)
    return arguments


def arguments_given(t: Translator, one: Instruction) -> int:
    """How many arguments follow that of the call `one`, each with a call of its own. (What jumps lead to is a
    call of something else, too.)"""
    at = t.at[one.offset] + 1
    count = 0
    while (
        t.found[at + count].op is Op.CALL
        and count + 1 < len(t.stack)
        and t.found[at + count].offset not in t.targets
    ):
        count += 1
    return count


def call_offset(t: Translator, one: Instruction, number: int) -> int:
    """Where the `number`th of the calls is that begin with `one`."""
    return t.found[t.at[one.offset] + number - 1].offset


def speculate(t: Translator, function: Operand, one: Instruction) -> Known | Builtin | None:
    """What the function was, if that is known, for as many arguments as it is given."""
    value = t.guesses.get(function.text)
    count = 1 + arguments_given(t, one)
    if isinstance(value, Builtin):
        return value if value.arity <= count and (not t.portable or is_global(t, value)) else None
    for wanted in range(count, 0, -1):
        known = known_function(value, wanted)
        if known is not None:
            return known if not t.portable or kin_recipe(t.unit, known.unit) else None
    return None


def is_global(t: Translator, value: Builtin) -> bool:
    """Is it the attribute of `builtins` that has its name?"""
    builtins = evaluated(t.unit.scope.get("builtins"))
    return type(builtins) is AttrSet and evaluated(builtins.get(value.name)) is value


def call_known(t: Translator, function: Operand, known: Known, one: Instruction) -> None:
    """The call, and those that follow it, in one; if it turns out to be another function, one by one.

    The closure may be another one of the same function: made by another call of what is around it.
    """
    arguments = take(t, len(known.links) + 1)
    out = t.out
    upvalues, name = out.name(), out.name()
    other: AbstractContextManager[None] = nullcontext()
    if not t.portable:
        with out.block(f"if {function.text} is {out.constant(known.closure)}:"):
            out.line(f"{upvalues} = {out.constant(known.closure.__self__)}")
        other = out.block("else:")
    with other:
        first = out.constant(known.first.function, kin_recipe(t.unit, known.first))
        test = f"type({function.text}) is MethodType and {function.text}.__func__ is {first}"
        out.line(f"{upvalues} = {function.text}.__self__ if {test} else None")
    with out.block(f"if {upvalues} is not None:"):
        texts = [early(t, argument) for argument in arguments]
        inner = innermost(known, upvalues, texts)
        offset = call_offset(t, one, len(arguments))
        if known.unit is t.unit and t.returns(t.found[t.at[offset] + 1].offset):
            t.next_round(inner, texts[-1], offset)
        else:
            body = out.constant(known.unit.function, kin_recipe(t.unit, known.unit))
            out.line(f"{name} = {body}({inner}, {texts[-1]})", offset)
    one_by_one(t, function.text, name, arguments, one)


def call_known_builtin(t: Translator, function: Operand, known: Builtin, one: Instruction) -> None:
    """As `call_known`, for a builtin that is given all its arguments."""
    arguments = take(t, known.arity)
    builtin, name = t.out.name(), t.out.name()
    path = ("builtins", known.name)
    t.out.line(f"{builtin} = {t.from_scope(path, known)}")
    with t.out.block(f"if {function.text} is {builtin}:"):
        saturate(t, name, known, path, arguments, one)
    one_by_one(t, function.text, name, arguments, one)


def one_by_one(t: Translator, function: str, name: str, arguments: list[Operand], one: Instruction) -> None:
    """The other way: a call for each argument."""
    with t.out.block("else:"):
        for number, argument in enumerate(arguments, 1):
            text = variable(t, argument)
            t.out.line(f"{name} = {t.called(function, text)}", call_offset(t, one, number))
            function = name
    t.skip = len(arguments) - 1
    t.stack.append(Operand(name))


def innermost(known: Known, upvalues: str, arguments: list[str]) -> str:
    """The upvalues of the function at the end of the links, from those of the first, in a variable."""
    texts: list[str] | None = None
    for link, argument in zip(known.links, arguments[:-1], strict=True):
        texts = [_captured(position, upvalues, texts, argument) for position in link.positions]
    return upvalues if texts is None else f"({''.join([f'{text}, ' for text in texts])})"


def _captured(position: Position, upvalues: str, texts: list[str] | None, argument: str) -> str:
    if not position.is_upvalue:
        return argument
    return f"{upvalues}[{position.index}]" if texts is None else texts[position.index]
