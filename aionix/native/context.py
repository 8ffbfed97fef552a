"""The state of one translation: the stack of operands, the text so far, and what is known.

Handlers for the instructions (`variables`, `operators`, `attributes`, `calls`) and for the shapes of jumps
(`branches`) register here.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from types import CodeType
from typing import NamedTuple, TypeAlias

from aionix.bytecode.chunk import Instruction, instructions
from aionix.bytecode.opcodes import Op
from aionix.native.assemble import assemble, shared
from aionix.native.operands import UNKNOWN, Facts, Operand
from aionix.native.writer import Untranslatable, Writer
from aionix.values.thunk import Value, evaluated
from aionix.vm.engine import AGAIN, FunctionUnit, Unit
from aionix.vm.linking import Plain, Recipe, global_recipe

#: An expression with more characters gets a variable: CPython's parser has limits of its own.
MAX_EXPRESSION = 1_000
#: Code with more instructions than this is not worth it: it is long, but not hot.
MAX_INSTRUCTIONS = 3_000
#: Longer code is hardly ever that of other thunks too.
MAX_SHARED = 100


class Text(NamedTuple):
    """What a translation yields: code, and what its further parameters are to be."""

    code: CodeType
    recipes: tuple[Recipe | Plain | int, ...]
    shape: bytes | None


Handler: TypeAlias = "Callable[[Translator, Instruction], None]"
#: Translates from the jump with this index on; returns the index after what belongs to it, or -1
#: if all ways return.
Jump: TypeAlias = "Callable[[Translator, int], int]"

OPS: dict[Op, Handler] = {}
JUMPS: dict[Op, Jump] = {}


def op(*ops: Op) -> Callable[[Handler], Handler]:
    """Registers the translation of instructions."""

    def register(handler: Handler) -> Handler:
        OPS.update(dict.fromkeys(ops, handler))
        return handler

    return register


def jump(*ops: Op) -> Callable[[Jump], Jump]:
    """Registers the translation of what begins with a conditional jump."""

    def register(handler: Jump) -> Jump:
        JUMPS.update(dict.fromkeys(ops, handler))
        return handler

    return register


#: What may call functions of the program, which must not be done twice.
CALLING = frozenset({Op.CALL, Op.COERCE_TO_STRING, Op.FIND_FILE, Op.ASSERT_FAIL})
#: What makes values of others, evaluates nothing and never fails.
MAKING = frozenset(
    {
        Op.ATTRS, Op.CLOSE_SCOPE, Op.CLOSURE, Op.CONSTANT, Op.FINALISE, Op.GET_LOCAL, Op.GET_UPVALUE, Op.LIST,
        Op.POP_WITH, Op.PUSH_WITH, Op.RETURN, Op.THUNK_CLOSURE, Op.THUNK_SUSPENDED,
    }
)  # fmt: skip


class EndsInItself(Exception):
    """The code ends in a call of itself, so it is to be translated as a loop."""


class Translator:
    """The translation of one piece of code, as far as it has come.

    `portable` code is right in other processes too: it holds no object, and what was found in
    `upvalues` has no part in it. It makes the units of thunks when they are forced, since most
    code of that kind runs once and most of its thunks never.

    In a `loop`, calls of the function itself at its end are further rounds: in variables, `h` has the
    offsets of these calls, None before the first, and `e` the call depth at which it began.
    """

    def __init__(
        self, unit: Unit, upvalues: tuple[Value, ...], portable: bool, limit: int, loop: bool = False
    ) -> None:
        self.unit = unit
        self.code = unit.code
        self.chunk = unit.code.chunk
        self.sample = upvalues
        self.portable = portable
        self.loop = loop
        self.found = instructions(self.chunk)
        self.is_function = isinstance(unit, FunctionUnit)
        # Thunks are many, and most run once: what they look up are parameters, so that they share code.
        self.shared = portable and not self.is_function and len(self.found) <= MAX_SHARED
        self.out = Writer(portable, self.shared)
        if len(self.found) > limit:
            raise Untranslatable("too long")
        self.at = {one.offset: index for index, one in enumerate(self.found)}
        self.targets = {one.arg for one in self.found if one.op in JUMPS or one.op is Op.JUMP}
        self.stack: list[Operand] = []
        self.facts = Facts()
        self.withs = "None"
        self.namespaces: list[str] = []
        # A thunk of which nobody can tell that it is being forced.
        self.only_makes = not self.is_function and all([self.makes(one) for one in self.found])
        self.counted = False
        self.skip = 0  # instructions that the last one has done
        self.guesses: dict[str, Value] = {}  # what variables were in the run that `upvalues` are from
        self.namespace_guesses: list[Value] = []
        self.closures: set[str] = set()  # which variables are thunks around functions that were made here

    def translate(self) -> Text:
        out = self.out
        machine = self.machine()
        if self.is_function:
            self.stack.append(Operand("a", lazy=True))
            parameters = "u, a"
        else:
            parameters = "t"
            # Whatever goes on for long calls functions again and again: that is done by functions that count,
            # by thunks with a call, or by what converts to strings.
            if any([one.op in (Op.CALL, Op.FIND_FILE) for one in self.found]):
                self.tick("t[0] is not unit.function", "force(t)")
            out.line("u = t[1]")
            if not self.only_makes:
                out.line("t[0] = blackhole")
                out.line(f"t[1] = {machine}.run")
        if self.loop:
            out.line("h = None")
        with out.block("try:") if not self.only_makes else nullcontext():
            with out.block("while True:") if self.loop else nullcontext():
                self.unpack()
                self.region(0, None)
            if self.loop:
                with out.block("if h is not None:"):
                    out.line(f"{machine}.depth = e")
                out.line("return r")
        if self.is_function:
            with out.block("except NixError as error:"):
                out.line("unit.leave(error, h)" if self.loop else "unit.leave(error)")
                out.line("raise")
        elif self.only_makes:
            out.line("unit")  # never comes to that, but has the free variable that all code has
        else:
            with out.block("except BaseException as error:"):
                out.line("unit.leave(t, u, error)")
                out.line("raise")
        head = out.parameters(parameters)
        if self.shared:
            shape, code = shared(tuple(out.lines), tuple(out.offsets), head)
            return Text(code, tuple(out.recipes), shape)
        return Text(assemble(out.lines, out.offsets, head, out.constants), tuple(out.recipes), None)

    def makes(self, one: Instruction) -> bool:
        """Does `one` only make a value? (A set with computed names may find one twice.)"""
        if one.op is Op.ATTRS and one.arg:
            return self.chunk.attr_names.get(one.offset) is not None
        return one.op in MAKING

    def machine(self) -> str:
        return self.out.constant(self.unit.machine, ("machine",))

    def from_scope(self, path: tuple[str, ...], value: Value) -> str:
        """How the text refers to a global, or an attribute of one."""
        return self.out.constant(value, global_recipe(path, value))

    def tick(self, moved: str | None = None, instead: str | None = None) -> None:
        """Looks at the clock now and then; meanwhile, another run may have been here."""
        out = self.out
        machine = self.machine()
        out.line(f"n = {machine}.ticks - 1")
        out.line(f"{machine}.ticks = n")
        with out.block("if n < 0:"):
            out.line("current_fiber().checkpoint()")
            if moved:
                with out.block(f"if {moved}:"):
                    out.line(f"return {instead}")
            if self.portable:
                out.line(f"unit.seen({'u' if self.is_function else 't[1]'})")

    def count_call(self) -> None:
        """From here on this run counts as a call; it begins again where there is room, if there is none."""
        if self.counted or not self.is_function:
            return
        self.settle()
        self.counted = True
        out = self.out
        machine = self.machine()
        out.line(f"d = {machine}.depth")
        with out.block(f"if d >= {machine}.limit:"):
            self.give("unit.deeper(u, a)", AGAIN)
        out.line(f"{machine}.depth = d + 1")
        self.tick()

    def count_if_needed(self, index: int, end: int) -> None:
        """`count_call`, if the code up to offset `end`, both ways of a branch, makes calls."""
        while self.found[index].offset != end:
            if self.found[index].op in CALLING or self.found[index].op is Op.ADD:
                self.count_call()
                return
            index += 1

    def may_restart(self, one: Instruction) -> bool:
        """May the code after `one` find, on its way to the return, that it must begin again?"""
        for later in self.found[self.at[one.offset] + 1 :]:
            if later.op in CALLING or later.op is Op.FORCE:
                return True
            if later.op is Op.JUMP and self.returns(later.arg):
                return False
        return False

    @property
    def bare(self) -> bool:
        """Does this run not count as a call so far?"""
        return self.is_function and not self.counted

    def slow(self, helper: str, left: str, right: str) -> str:
        """A call of `helper`, which may evaluate things."""
        return f"unit.inside({helper}, {left}, {right})" if self.bare else f"{helper}({left}, {right})"

    def unpack(self) -> None:
        count = self.code.upvalue_count
        used = {one.arg for one in self.found if one.op is Op.GET_UPVALUE}
        used |= {position.index for one in self.found for position in one.positions if position.is_upvalue}
        if used and count + self.code.captures_with <= 2 * len(used):
            names = [f"u{index}" for index in range(count)]
            if self.code.captures_with:
                names.append("w")
            self.out.line(f"{', '.join(names)}, = u")
        else:
            for index in sorted(used):
                self.out.line(f"u{index} = u[{index}]")
            if self.code.captures_with:
                self.out.line("w = u[-1]")
        if self.code.captures_with:
            self.withs = "w"

    def region(self, index: int, end: int | None) -> int:
        """Translates from instruction `index` up to offset `end`, or to the end of the frame."""
        while True:
            one = self.found[index]
            if one.offset == end:
                return index
            if one.op is Op.RETURN:
                self.out.offset = one.offset
                self.finish()
                return index
            index = self.step(index)
            if index < 0:  # all ways returned
                return index

    def step(self, index: int) -> int:
        """Translates an instruction, or all that belongs to a jump; returns the index after it, or -1."""
        one = self.found[index]
        self.out.offset = one.offset
        if one.op in JUMPS:
            return JUMPS[one.op](self, index)
        if one.op not in OPS:
            raise Untranslatable(one.op.label)
        OPS[one.op](self, one)
        index += 1 + self.skip
        self.skip = 0
        return index

    def finish(self) -> None:
        """`return` the top of the stack."""
        result = self.stack[-1]
        out = self.out
        if self.is_function:
            if self.counted:
                self.settle()
                out.line(f"{self.machine()}.depth = d")
            result = self.stack[-1]
            self.give(result.text, self.where(result))
        else:
            out.line(f"t[1] = r = {result.text}", self.where(result))
            out.line("t[0] = None")
            out.line("return r")

    def give(self, text: str, offset: int | None) -> None:
        """Ends the call with this value."""
        if self.loop:
            self.out.line(f"r = {text}", offset)
            self.out.line("break")
        else:
            self.out.line(f"return {text}", offset)

    def next_round(self, upvalues: str, argument: str, offset: int) -> None:
        """Ends the call with what a call of the same function gives, the one at `offset`."""
        if not self.loop:
            raise EndsInItself
        out = self.out
        out.line(f"u, a = {upvalues}, {argument}")
        with out.block("if h is None:"):
            out.line("e = d")
            out.line(f"h = [{offset}]")
        with out.block("else:"):
            out.line(f"h.append({offset})")
        out.line("continue")

    def returns(self, offset: int) -> bool:
        """Does the code at `offset` do nothing but return?"""
        index = self.at[offset]
        while True:
            one = self.found[index]
            if one.op is Op.RETURN:
                return True
            if one.op is Op.JUMP:
                index = self.at[one.arg]
            elif one.op in (Op.CLOSE_SCOPE, Op.POP_WITH):
                index += 1
            else:
                return False

    def settle(self) -> None:
        """Gives every pending expression on the stack a variable, the lowest first; thunks can wait."""
        for operand in self.stack:
            if operand.pending and operand.thunk is None:
                self.name_it(operand)

    def settle_all(self) -> None:
        """As `settle`, also the thunks: what follows is a branch, or somebody looks at them."""
        for operand in self.stack:
            if operand.pending:
                self.name_it(operand)

    def name_it(self, operand: Operand) -> None:
        name = self.out.name()
        self.assign(name, operand)
        if operand.thunk is not None and operand.thunk.closure is not None:
            self.closures.add(name)
        operand.text, operand.pending, operand.thunk = name, False, None

    def assign(self, name: str, operand: Operand) -> None:
        """A line that gives `name` the operand's value."""
        self.out.line(f"{name} = {operand.text}", self.where(operand))

    def where(self, operand: Operand) -> int | None:
        """The place of the instruction that made a pending expression."""
        return operand.offset if operand.pending else None

    def named(self, operand: Operand) -> Operand:
        """The operand as something that may be mentioned several times."""
        if operand.pending:
            self.settle()
            self.name_it(operand)
        return operand

    def pop(self) -> Operand:
        """The top of the stack, named."""
        operand = self.stack.pop()
        if operand.pending:
            self.settle()
            self.name_it(operand)
        return operand

    def push(self, text: str, *, lazy: bool = False, kind: str | None = None) -> None:
        """An expression that has not been evaluated yet becomes the top of the stack."""
        self.settle()
        self.stack.append(Operand(text, lazy, kind, pending=True, offset=self.out.offset))
        if len(text) > MAX_EXPRESSION:
            self.settle()

    def forced(self, operand: Operand) -> str:
        self.settle()
        out = self.out
        name = out.name()
        self.assign(name, operand)
        with out.block(f"if type({name}) is list:"):
            if not self.bare:
                out.line(f"{name} = {name}[1] if {name}[0] is None else {name}[0]({name})")
            else:
                self.force_deeper(name)
        if not operand.pending:
            self.facts.forced[operand.text] = name
        if operand.guess is not UNKNOWN:
            self.guesses[name] = evaluated(operand.guess)
        return name

    def force_deeper(self, name: str) -> None:
        """Forces a thunk while this run does not count as a call: meanwhile, it does."""
        out = self.out
        with out.block(f"if {name}[0] is None:"):
            out.line(f"{name} = {name}[1]")
        with out.block("else:"):
            machine = self.machine()
            out.line(f"d = {machine}.depth")
            with out.block(f"if d < {machine}.limit:"):
                out.line(f"{machine}.depth = d + 1")
                out.line(f"{name} = {name}[0]({name})")
                out.line(f"{machine}.depth = d")
            with out.block("else:"):
                self.give("unit.deeper(u, a)", AGAIN)  # nothing was called: it may begin again

    def both(self, left: Operand, right: Operand) -> tuple[str, str]:
        """Two operands that were popped, each with a name, in order."""
        self.settle()
        if left.pending:
            self.name_it(left)
        if right.pending:
            self.name_it(right)
        return left.text, right.text

    def pair(self) -> tuple[str, str]:
        right, left = self.stack.pop(), self.stack.pop()
        return self.both(left, right)

    def called(self, function: str, argument: str) -> str:
        if self.facts.kinds.get(function) == "MethodType":
            return f"{function}({argument})"
        return f"{function}({argument}) if type({function}) is MethodType else call({function}, {argument})"
