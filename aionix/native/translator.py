"""Bytecode to Python, by running it on a stack of names instead of values.

Each instruction becomes a line or two; what it leaves on the stack is the name of the variable, or a short
expression, that has its value. The compiler emits few shapes of jumps (if, `&&`, a default), which
are recognised again and become `if` blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from aionix.bytecode.chunk import Global, Instruction, Lambda, instructions
from aionix.bytecode.opcodes import Op, Position
from aionix.native.assemble import LINES_BEFORE, assemble
from aionix.native.known import Known, arithmetic, known_function
from aionix.native.writer import Untranslatable, Writer
from aionix.source import Span
from aionix.values.attrs import AttrSet
from aionix.values.functions import Builtin
from aionix.values.numbers import INT_MAX, INT_MIN
from aionix.values.thunk import Value
from aionix.vm.engine import Compiled, FunctionUnit, Unit

#: Code with more instructions than this is not worth it: it is long, but not hot.
MAX_INSTRUCTIONS = 3_000


@dataclass(slots=True)
class Operand:
    """What is known of a value on the stack.

    `text` is a variable, a constant or (`pending`) an expression not evaluated yet, to be used once.
    `lazy`: it may be a thunk. `kind`: the Python type of its value, where that is certain.
    """

    text: str
    lazy: bool = False
    kind: str | None = None
    pending: bool = False
    value: Value = None
    constant: bool = False
    late: _Late | None = None
    thunk: _Thunk | None = None
    origin: int | None = None


@dataclass(slots=True)
class _Late:
    """A thunk or closure whose upvalues are filled in later; `guard`, if it was made at all."""

    variable: str
    function: object
    closure: bool
    positions: tuple[Position, ...]
    captures_with: bool
    guard: str | None = None


class _Thunk(NamedTuple):
    """What a thunk, not made yet, will compute, and from which variables."""

    code: Lambda
    captured: list[str]


@dataclass(slots=True)
class _Facts:
    """What is known at a point of the code: which variables have an evaluated twin, or a type."""

    forced: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)

    def copy(self) -> _Facts:
        return _Facts(dict(self.forced), dict(self.kinds))


def translate(unit: Unit, upvalues: tuple[Value, ...]) -> Compiled | None:
    """Python code for `unit`; None where that cannot be, or is not worth it."""
    try:
        return _Translator(unit, upvalues).translate()
    except Untranslatable:
        return None


class _Translator:
    def __init__(self, unit: Unit, upvalues: tuple[Value, ...]) -> None:
        self.unit = unit
        self.code = unit.code
        self.chunk = unit.code.chunk
        self.sample = upvalues
        self.out = Writer()
        self.found = instructions(self.chunk)
        if len(self.found) > MAX_INSTRUCTIONS:
            raise Untranslatable("too long")
        self.at = {one.offset: index for index, one in enumerate(self.found)}
        self.stack: list[Operand] = []
        self.facts = _Facts()
        self.withs = "None"
        self.namespaces: list[str] = []
        self.is_function = isinstance(unit, FunctionUnit)
        self.counted = False
        self.skip = 0  # instructions that the last one has done
        self.origins: dict[str, int] = {}  # which variables are evaluated upvalues

    # -- the whole

    def translate(self) -> Compiled:
        out = self.out
        machine = out.constant(self.unit.machine)
        if self.is_function:
            self.stack.append(Operand("a", lazy=True))
            parameters = "u, a"
        else:
            parameters = "t"
            out.line(f"m = {machine}")
            self.tick("t[0] is not unit.function", "force(t)")
            out.line("u = t[1]")
            out.line("t[0] = blackhole")
            out.line("t[1] = m.run")
        with out.block("try:"):
            self.unpack()
            self.region(0, None)
        if self.is_function:
            with out.block("except NixError as error:"):
                out.line("unit.leave(error)")
                out.line("raise")
        else:
            with out.block("except BaseException as error:"):
                out.line("unit.leave(t, u, error)")
                out.line("raise")
        code = assemble(out.lines, parameters, out.constants)
        return Compiled(code, (*[0] * (LINES_BEFORE + 1), *out.offsets))

    def tick(self, moved: str | None = None, instead: str | None = None) -> None:
        """Looks at the clock now and then; meanwhile, another run may have been here."""
        out = self.out
        out.line("n = m.ticks - 1")
        out.line("m.ticks = n")
        with out.block("if n < 0:"):
            out.line("current_fiber().checkpoint()")
            if moved:
                with out.block(f"if {moved}:"):
                    out.line(f"return {instead}")

    def count_call(self) -> None:
        """From here on this run counts as a call; it begins again where there is room, if there is none."""
        if self.counted or not self.is_function:
            return
        self.settle()
        self.counted = True
        out = self.out
        out.line(f"m = {out.constant(self.unit.machine)}")
        out.line("d = m.depth")
        with out.block("if d >= m.limit:"):
            out.line("return unit.deeper(u, a)")
        out.line("m.depth = d + 1")
        self.tick()

    def count_if_needed(self, index: int, end: int) -> None:
        """`count_call`, if the code up to offset `end`, both ways of a branch, makes calls."""
        while self.found[index].offset != end:
            if self.found[index].op in _CALLING:
                self.count_call()
                return
            index += 1

    def calls_after(self, one: Instruction) -> bool:
        """Does the code after `one` make calls, on its way to the return?"""
        for later in self.found[self.at[one.offset] + 1 :]:
            if later.op in _CALLING:
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

    # -- regions of code

    def region(self, index: int, end: int | None) -> int:
        """Translates from instruction `index` up to offset `end`, or to the end of the frame."""
        while True:
            one = self.found[index]
            if one.offset == end:
                return index
            self.out.offset = one.offset
            if one.op is Op.RETURN:
                self.finish()
                return index
            jump = _JUMPS.get(one.op)
            if jump is not None:
                index = jump(self, index)
                if index < 0:  # both ways returned
                    return index
                continue
            handler = _OPS.get(one.op)
            if handler is None:
                raise Untranslatable(one.op.label)
            handler(self, one)
            index += 1 + self.skip
            self.skip = 0

    def finish(self) -> None:
        """`return` the top of the stack."""
        result = self.stack[-1]
        out = self.out
        if self.is_function:
            if self.counted:
                self.settle()
                out.line("m.depth = d")
            out.line(f"return {self.stack[-1].text}")
        else:
            out.line(f"t[1] = r = {result.text}")
            out.line("t[0] = None")
            out.line("return r")

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

    def if_false(self, index: int) -> int:
        one = self.found[index]
        target = self.at[one.arg]
        before = self.found[target - 1]
        is_if = self.found[target].op is Op.POP and before.op is Op.JUMP and before.arg > one.arg
        if is_if and self.found[index + 1].op is Op.POP:
            return self.if_else(index, target, before.arg)
        return self.short_circuit(index, True)

    def if_true(self, index: int) -> int:
        return self.short_circuit(index, False)

    def if_else(self, index: int, target: int, end: int) -> int:
        """`if c then a else b`, or an assertion: `target` is the instruction where `b` begins."""
        out = self.out
        condition = self.stack.pop()
        if condition.pending and not self.counted and not self.returns(end):
            self.settle()
            self.name_it(condition)
        self.settle_all()
        height = len(self.stack)
        if condition.kind != "bool":
            condition = self.named(condition)
            with out.block(f"if type({condition.text}) is not bool:"):
                out.line(f"not_a('{'a Boolean'}', {condition.text})")
        returns = self.returns(end)
        result = None if returns else out.name()
        if not returns:
            self.count_if_needed(index, end)
        counted = self.counted
        before, stack, facts = self.found[target - 1], list(self.stack), self.facts.copy()
        withs = self.withs
        kinds = []
        with out.block(f"if {condition.text}:"):
            kinds.append(self.arm(index + 2, before.offset, result))
        self.stack, self.facts, self.withs, self.counted = list(stack), facts.copy(), withs, counted
        fails = self.ends_with_failure(target, end)
        if returns:
            self.arm(target + 1, end, None)
        else:
            with out.block("else:"):
                kinds.append(self.arm(target + 1, end, result))
        self.stack, self.facts, self.withs = stack[: self.left(index, height)], facts, withs
        if result is None:
            return -1
        kind = kinds[0] if kinds[0] == kinds[-1] or fails else None
        self.stack.append(Operand(result, kind=kind))
        return self.at[end]

    def left(self, index: int, count: int) -> int:
        """How many of `count` operands are left after the branches of an assertion have dropped theirs."""
        index += 2
        while self.found[index].op is Op.POP:
            count -= 1
            index += 1
        return count

    def ends_with_failure(self, target: int, end: int) -> bool:
        return self.found[self.at[end] - 1].op is Op.ASSERT_FAIL

    def arm(self, index: int, end: int, result: str | None) -> str | None:
        """One way of an `if`: its value goes to `result`, or is returned. Gives the value's type."""
        if self.region(index, end) < 0:
            return None
        if result is None:
            self.finish()
            return None
        value = self.stack[-1]
        if value.late is not None:
            raise Untranslatable("a late value in a branch")
        self.out.line(f"{result} = {value.text}")
        return value.kind

    def short_circuit(self, index: int, when: bool) -> int:
        """`a && b`, `a || b`: the right side runs if the left is `when`."""
        one = self.found[index]
        out = self.out
        left = self.named(self.stack.pop())
        self.settle_all()
        self.count_if_needed(index, one.arg)
        result = out.name()
        out.line(f"{result} = {left.text}")
        if left.kind != "bool":
            with out.block(f"if type({result}) is not bool:"):
                out.line(f"not_a('a Boolean', {result})")
        facts = self.facts.copy()
        stack = list(self.stack)
        with out.block(f"if {result}:" if when else f"if not {result}:"):
            if self.found[index + 1].op is not Op.POP:
                raise Untranslatable("a jump of another shape")
            self.region(index + 2, one.arg)
            out.line(f"{result} = {self.stack[-1].text}")
        self.facts, self.stack = facts, stack
        self.stack.append(Operand(result, kind="bool"))
        return self.at[one.arg]

    def if_not_found(self, index: int) -> int:
        """A selection with a default, from the first name that may be missing to the default's end."""
        out = self.out
        miss = self.found[index].arg
        jump = self.found[self.at[miss] - 1]
        if jump.op is not Op.JUMP or jump.arg <= miss:
            raise Untranslatable("a default of another shape")
        found = self.named(self.stack.pop())
        self.settle_all()
        self.count_if_needed(index, jump.arg)
        result = out.name()
        out.line(f"{result} = {found.text}")
        facts, stack = self.facts.copy(), list(self.stack)
        self.stack.append(Operand(result, lazy=True))
        lazy = self.found_region(index + 1, jump.offset, miss, result)
        kind = self.stack[-1].kind if self.stack else None
        self.facts, self.stack = facts.copy(), list(stack)
        guard = None
        if self.found[self.at[miss]].op in _CLOSURES and any(
            [position.is_deferred for position in self.found[self.at[miss]].positions]
        ):
            guard = out.name()
            out.line(f"{guard} = {result} is NOT_FOUND")
        with out.block(f"if {result} is NOT_FOUND:"):
            self.region(self.at[miss], jump.arg)
            default = self.stack[-1]
            out.line(f"{result} = {default.text}")
        self.facts, self.stack = facts, stack
        operand = Operand(result, lazy or default.lazy, kind if kind == default.kind else None)
        if default.late is not None:
            if guard is None:
                raise Untranslatable("a late default of another shape")
            default.late.guard, default.late.variable = guard, result
            operand.late = default.late
        self.stack.append(operand)
        return self.at[jump.arg]

    def found_region(self, index: int, end: int, miss: int, result: str) -> bool:
        """What is done with what was found, up to `end`; is the result possibly lazy?"""
        one = self.found[index]
        if one.offset == end:
            return self.stack[-1].lazy
        with self.out.block(f"if {result} is not NOT_FOUND:"):
            while one.offset != end:
                self.out.offset = one.offset
                if one.op is Op.JUMP_IF_NOT_FOUND and one.arg == miss:
                    value = self.stack.pop()
                    self.out.line(f"{result} = {value.text}")
                    self.facts.forced.pop(result, None)
                    self.stack.append(Operand(result, lazy=True))
                    return self.found_region(index + 1, end, miss, result)
                if one.op in _JUMPS:
                    index = _JUMPS[one.op](self, index)
                    if index < 0:
                        raise Untranslatable("a default that returns")
                else:
                    handler = _OPS.get(one.op)
                    if handler is None:
                        raise Untranslatable(one.op.label)
                    handler(self, one)
                    index += 1 + self.skip
                    self.skip = 0
                one = self.found[index]
            value = self.stack[-1]
            if value.text != result:
                self.out.line(f"{result} = {value.text}")
            return value.lazy

    # -- operands

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
        self.out.line(f"{name} = {operand.text}")
        operand.text, operand.pending, operand.thunk = name, False, None

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
        self.stack.append(Operand(text, lazy, kind, pending=True))

    # -- instructions

    def constant(self, one: Instruction) -> None:
        value = self.chunk.constants[one.arg]
        if type(value) is Global:
            value = self.unit.scope[value.name]
        lazy = type(value) is list
        kind = None if lazy else type(value).__name__
        self.stack.append(Operand(self.out.constant(value), lazy, kind, value=value, constant=not lazy))

    def local(self, one: Instruction) -> None:
        source = self.stack[one.arg]
        if source.pending:
            self.settle_all()
        copy = Operand(source.text, source.lazy, source.kind, value=source.value, constant=source.constant)
        self.stack.append(copy)

    def upvalue(self, one: Instruction) -> None:
        self.stack.append(Operand(f"u{one.arg}", lazy=True, origin=one.arg))

    def force(self, one: Instruction) -> None:
        operand = self.stack[-1]
        if not operand.lazy:
            return
        self.stack.pop()
        twin = self.facts.forced.get(operand.text)
        if twin is None:
            twin = self.forced(operand)
        self.stack.append(Operand(twin, kind=self.facts.kinds.get(twin)))

    def forced(self, operand: Operand) -> str:
        self.settle()
        out = self.out
        name = out.name()
        out.line(f"{name} = {operand.text}")
        with out.block(f"if type({name}) is list:"):
            if not self.bare:
                out.line(f"{name} = {name}[1] if {name}[0] is None else {name}[0]({name})")
            else:
                self.force_deeper(name)
        if not operand.pending:
            self.facts.forced[operand.text] = name
        if operand.origin is not None:
            self.origins[name] = operand.origin
        return name

    def force_deeper(self, name: str) -> None:
        """Forces a thunk while this run does not count as a call: meanwhile, it does."""
        out = self.out
        with out.block(f"if {name}[0] is None:"):
            out.line(f"{name} = {name}[1]")
        with out.block("else:"):
            out.line(f"m = {out.constant(self.unit.machine)}")
            out.line("d = m.depth")
            with out.block("if d < m.limit:"):
                out.line("m.depth = d + 1")
                out.line(f"{name} = {name}[0]({name})")
                out.line("m.depth = d")
            with out.block("else:"):
                out.line(f"{name} = unit.force({name})")

    def arithmetic(self, one: Instruction, sign: str, helper: str) -> None:
        right, left = self.stack.pop(), self.stack.pop()
        left_text, right_text = self.both(left, right)
        out = self.out
        test = self.are_ints(left, right)
        if one.op is Op.ADD and test != "" and self.calls_after(one):
            self.count_call()  # what `+` may call must not be called twice
        name = out.name()
        slow = self.slow(helper, left_text, right_text)
        if test is None:
            out.line(f"{name} = {slow}")
            self.stack.append(Operand(name))
            return
        with out.block(f"if {test}:") if test else _nothing():
            out.line(f"{name} = {left_text} {sign} {right_text}")
            with out.block(f"if not {INT_MIN} <= {name} <= {INT_MAX}:"):
                out.line(f"{helper}({left_text}, {right_text})")
        if test:
            with out.block("else:"):
                out.line(f"{name} = {slow}")
        self.stack.append(Operand(name, kind=None if test else "int"))

    def both(self, left: Operand, right: Operand) -> tuple[str, str]:
        """Two operands that were popped, each with a name, in order."""
        self.settle()
        if left.pending:
            self.name_it(left)
        if right.pending:
            self.name_it(right)
        return left.text, right.text

    def are_ints(self, left: Operand, right: Operand) -> str | None:
        """What to test so that both are integers; "" if that is certain, None if it cannot be."""
        unknown = []
        for operand in (left, right):
            if operand.kind not in (None, "int"):
                return None
            if operand.kind is None and operand.text not in unknown:
                unknown.append(operand.text)
        return _all_ints(unknown) if unknown else ""

    def add(self, one: Instruction) -> None:
        self.arithmetic(one, "+", "add")

    def subtract(self, one: Instruction) -> None:
        self.arithmetic(one, "-", "subtract")

    def multiply(self, one: Instruction) -> None:
        self.arithmetic(one, "*", "multiply")

    def divide(self, one: Instruction) -> None:
        left, right = self.pair()
        self.push(f"divide({left}, {right})")

    def pair(self) -> tuple[str, str]:
        right, left = self.stack.pop(), self.stack.pop()
        return self.both(left, right)

    def compare(self, sign: str, helper: str, swapped: bool = False, negated: bool = False) -> None:
        right, left = self.stack.pop(), self.stack.pop()
        left_text, right_text = self.both(left, right)
        test = self.are_ints(left, right)
        slow = self.slow(helper, *((right_text, left_text) if swapped else (left_text, right_text)))
        if negated:
            slow = f"(not {slow})"
        quick = f"{left_text} {sign} {right_text}"
        if test is None:
            text = slow
        else:
            text = f"({quick} if {test} else {slow})" if test else f"({quick})"
        self.push(text, kind="bool")

    def equal(self, one: Instruction) -> None:
        right, left = self.stack[-1], self.stack[-2]
        for operand, other in ((left, right), (right, left)):
            if operand.kind == "str" and operand.constant and not other.pending:
                self.stack[-2:] = []
                self.push(
                    f"({other.text} == {operand.text} if type({other.text}) is str else "
                    f"{self.slow('equal', left.text, right.text)})",
                    kind="bool",
                )
                return
            if operand.kind == "NoneType" and not other.pending:
                self.stack[-2:] = []
                self.push(f"({other.text} is None)", kind="bool")
                return
        self.compare("==", "equal")

    def less(self, one: Instruction) -> None:
        self.compare("<", "less_than")

    def less_or_equal(self, one: Instruction) -> None:
        self.compare("<=", "less_than", swapped=True, negated=True)

    def more(self, one: Instruction) -> None:
        self.compare(">", "less_than", swapped=True)

    def more_or_equal(self, one: Instruction) -> None:
        self.compare(">=", "less_than", negated=True)

    def invert(self, one: Instruction) -> None:
        operand = self.stack.pop()
        if operand.kind != "bool":
            operand = self.named(operand)
            with self.out.block(f"if type({operand.text}) is not bool:"):
                self.out.line(f"not_a('a Boolean', {operand.text})")
        self.push(f"(not {operand.text})", kind="bool")

    def negate(self, one: Instruction) -> None:
        operand = self.pop()
        self.push(f"negate({operand.text})")

    def attrs(self, one: Instruction) -> None:
        names = self.chunk.attr_names.get(one.offset) if one.arg else ()
        spans = self.chunk.attr_spans.get(one.offset, (None,) * one.arg)
        count = 2 * one.arg
        items = self.stack[-count:] if count else []
        self.settle()
        if count:
            del self.stack[-count:]
        out = self.out
        if names is None:
            listed = ", ".join([item.text for item in items])
            self.push(f"build_dynamic([{listed}], {out.constant(spans)})", kind="AttrSet")
            return
        if not count:
            self.push("AttrSet()", kind="AttrSet")
            return
        texts = [item.text for item in items]
        pairs = ", ".join([f"{name}: {value}" for name, value in zip(texts[::2], texts[1::2], strict=True)])
        name = out.name()
        out.line(f"{name} = AttrSet({{{pairs}}})")
        positions: dict[str, Span] = {n: span for n, span in zip(names, spans, strict=True) if span}
        out.line(f"{name}.positions = {out.constant(positions)}")
        self.stack.append(Operand(name, kind="AttrSet"))

    def update(self, one: Instruction) -> None:
        left, right = self.pair()
        self.push(f"update_sets({left}, {right})", kind="AttrSet")

    def select(self, one: Instruction) -> None:
        name, subject = self.stack.pop(), self.stack.pop()
        known = subject.value if subject.constant and name.constant else None
        if type(known) is AttrSet and name.value in known:
            value = known[cast(str, name.value)]
            lazy = type(value) is list
            self.stack.append(Operand(self.out.constant(value), lazy, value=value, constant=not lazy))
            return
        out = self.out
        self.settle()
        if not name.constant or type(name.value) is not str:
            _, name_text = self.both(subject, name)
            name_variable = out.name()
            out.line(f"{name_variable} = attribute_name({name_text})")
            name = Operand(name_variable)
        elif subject.pending or subject.constant:
            self.name_it(subject)
        result = out.name()
        with out.block("try:"):
            out.line(f"{result} = {subject.text}[{name.text}]")
        with out.block("except (KeyError, TypeError):"):
            out.line(f"not_there({subject.text}, {name.text})")
        self.stack.append(Operand(result, lazy=True))

    def try_select(self, one: Instruction) -> None:
        name, subject = self.stack.pop(), self.stack.pop()
        subject_text, name_text = self.both(subject, name)
        if subject.constant:
            self.name_it(subject)
            subject_text = subject.text
        if not name.constant or type(name.value) is not str:
            self.push(f"try_select({subject_text}, attribute_name({name_text}))", lazy=True)
        elif subject.kind == "AttrSet":
            self.push(f"{subject_text}.get({name_text}, NOT_FOUND)", lazy=True)
        else:
            found = f"{subject_text}.get({name_text}, NOT_FOUND)"
            self.push(f"({found} if type({subject_text}) is AttrSet else NOT_FOUND)", lazy=True)

    def has_attr(self, one: Instruction) -> None:
        name, subject = self.stack.pop(), self.stack.pop()
        subject_text, name_text = self.both(subject, name)
        if not name.constant or type(name.value) is not str:
            self.push(f"has_attribute({subject_text}, attribute_name({name_text}))", kind="bool")
        else:
            self.push(f"(type({subject_text}) is AttrSet and {name_text} in {subject_text})", kind="bool")

    def formals(self, one: Instruction) -> None:
        self.settle()
        argument = self.stack[-1]
        formals = self.code.formals
        if formals is None:
            raise Untranslatable("a pattern without names")
        keys = f"{argument.text}.keys()"
        required = frozenset([name for name, has_default in formals.names.items() if not has_default])
        allowed = frozenset(formals.names)
        tests = []
        if required == allowed and not formals.ellipsis:
            tests.append(f"{keys} == {self.out.constant(allowed)}" if allowed else f"not {argument.text}")
        else:
            if required:
                tests.append(f"{keys} >= {self.out.constant(required)}")
            if not formals.ellipsis:
                tests.append(f"{keys} <= {self.out.constant(allowed)}")
        if tests:
            with self.out.block(f"if not ({' and '.join(tests)}):"):
                self.out.line(f"check_formals({self.out.constant(self.code)}, {argument.text})")

    def assert_attrs(self, one: Instruction) -> None:
        if self.stack[-1].kind == "AttrSet":
            return
        self.settle()
        text = self.stack.pop().text
        with self.out.block(f"if type({text}) is not AttrSet:"):
            self.out.line(f"not_a('a set', {text})")
        self.facts.kinds[text] = "AttrSet"
        self.stack.append(Operand(text, kind="AttrSet"))

    def assert_bool(self, one: Instruction) -> None:
        if self.stack[-1].kind == "bool":
            return
        self.settle()
        text = self.stack.pop().text
        with self.out.block(f"if type({text}) is not bool:"):
            self.out.line(f"not_a('a Boolean', {text})")
        self.stack.append(Operand(text, kind="bool"))

    def push_with(self, one: Instruction) -> None:
        self.settle_all()
        name = self.out.name()
        self.out.line(f"{name} = ({self.stack[one.arg].text}, {self.withs})")
        self.namespaces.append(self.withs)
        self.withs = name

    def pop_with(self, one: Instruction) -> None:
        self.withs = self.namespaces.pop()

    def resolve_with(self, one: Instruction) -> None:
        name = self.stack.pop()
        slow = self.slow("resolve_with", name.text, self.withs)
        if self.withs == "None":
            self.push(slow, lazy=True)
            return
        innermost = f"{self.withs}[0]"
        names = self.facts.forced.get(innermost) or self.forced(Operand(innermost, lazy=True))
        quick = f"{names}[{name.text}]"
        self.push(f"({quick} if type({names}) is AttrSet and {name.text} in {names} else {slow})", lazy=True)

    def list_(self, one: Instruction) -> None:
        self.settle()
        items = self.stack[-one.arg :] if one.arg else []
        if one.arg:
            del self.stack[-one.arg :]
        texts = "".join([f"{item.text}, " for item in items])
        self.push(f"({texts})", kind="tuple")

    def concat(self, one: Instruction) -> None:
        left, right = self.pair()
        self.push(f"concatenate_lists({left}, {right})", kind="tuple")

    def interpolate(self, one: Instruction) -> None:
        self.settle()
        parts = self.stack[-one.arg :]
        del self.stack[-one.arg :]
        self.push(f"join(({', '.join([part.text for part in parts])}))")

    def coerce(self, one: Instruction) -> None:
        operand = self.stack[-1]
        if operand.kind == "str":
            return
        self.count_call()
        operand = self.pop()
        strong, copy = bool(one.arg & 1), bool(one.arg & 2)
        slow = f"coerce_to_string({operand.text}, strong={strong}, copy={copy})"
        self.push(f"({operand.text} if type({operand.text}) is str else {slow})")

    def find_file(self, one: Instruction) -> None:
        self.count_call()
        name = self.pop()
        find, path = self.unit.scope["__findFile"], self.unit.scope["__nixPath"]
        self.push(f"call2({self.out.constant(find)}, {self.out.constant(path)}, {name.text})")

    def home_path(self, one: Instruction) -> None:
        self.push(f"home_path({self.pop().text})")

    def close_scope(self, one: Instruction) -> None:
        self.settle()
        result = self.stack.pop()
        if one.arg:
            del self.stack[-one.arg :]
        self.stack.append(result)

    def assert_fail(self, one: Instruction) -> None:
        message = self.pop()
        self.count_call()
        self.out.line(f"fail_assertion({message.text})")
        self.stack.append(Operand("None"))

    def drop(self, one: Instruction) -> None:
        self.stack.pop()

    # -- closures and calls

    def closure(self, one: Instruction) -> None:
        self.settle()
        code = cast(Lambda, self.chunk.constants[one.arg])
        is_closure = one.op is not Op.THUNK_SUSPENDED
        function = self.unit.body(code) if is_closure else self.unit.entry(code)
        out = self.out
        if any([position.is_deferred for position in one.positions]):
            name = out.name()
            entry = "closed" if is_closure else out.constant(function)
            out.line(f"{name} = [{entry}, None]")
            late = _Late(name, function, is_closure, one.positions, one.captures_with)
            self.stack.append(Operand(name, lazy=True, late=late))
            return
        texts = self.captures(one.positions)
        upvalues = self.tuple_of(texts, one.captures_with)
        if not is_closure:
            text = f"[{out.constant(function)}, {upvalues}]"
            self.stack.append(Operand(text, lazy=True, pending=True, thunk=_Thunk(code, texts)))
            return
        text = f"MethodType({out.constant(function)}, {upvalues})"
        if one.op is Op.THUNK_CLOSURE:
            text = f"[closed, {text}]"
        self.stack.append(Operand(text, lazy=one.op is not Op.CLOSURE, pending=True))

    def captures(self, positions: tuple[Position, ...]) -> list[str]:
        texts = []
        for position in positions:
            if position.is_upvalue:
                texts.append(f"u{position.index}")
            else:
                if self.stack[position.index].pending:
                    self.settle_all()
                texts.append(self.stack[position.index].text)
        return texts

    def captured(self, positions: tuple[Position, ...], captures_with: bool) -> str:
        return self.tuple_of(self.captures(positions), captures_with)

    def tuple_of(self, texts: list[str], captures_with: bool) -> str:
        if captures_with:
            texts = [*texts, self.withs]
        return f"({''.join([f'{text}, ' for text in texts])})"

    def finalise(self, one: Instruction) -> None:
        self.settle()
        late = self.stack[one.arg].late
        if late is None:
            return
        upvalues = self.captured(late.positions, late.captures_with)
        if late.closure:
            upvalues = f"MethodType({self.out.constant(late.function)}, {upvalues})"
        with self.out.block(f"if {late.guard}:") if late.guard else _nothing():
            self.out.line(f"{late.variable}[1] = {upvalues}")
        self.stack[one.arg].late = None

    def call(self, one: Instruction) -> None:
        function = self.stack.pop()
        if function.constant and isinstance(function.value, Builtin):
            self.call_builtin(function.value, self.stack.pop())
            return
        if function.pending or function.constant:
            self.count_call()
            self.settle()
            self.name_it(function)
        known = self.known(function, one)
        if known is None:
            self.call_unknown(function, self.stack.pop())
        else:
            self.call_known(function, known)

    def call_unknown(self, function: Operand, argument: Operand) -> None:
        self.count_call()
        self.settle()
        if argument.pending and argument.thunk is None:
            self.name_it(argument)
        name = self.out.name()
        self.out.line(f"{name} = {self.called(function.text, argument.text)}")
        self.stack.append(Operand(name))

    def called(self, function: str, argument: str) -> str:
        return f"{function}({argument}) if type({function}) is MethodType else call({function}, {argument})"

    def known(self, function: Operand, one: Instruction) -> Known | None:
        """What the function has been so far, if it is an upvalue; how many arguments it is given follows."""
        index = self.origins.get(function.text)
        if index is None or index >= len(self.sample):
            return None
        at = self.at[one.offset]
        count = 1
        while self.found[at + count].op is Op.CALL and count < len(self.stack):
            count += 1
        for wanted in range(count, 0, -1):
            known = known_function(self.sample[index], wanted)
            if known is not None:
                return known
        return None

    def call_known(self, function: Operand, known: Known) -> None:
        """The call, and those that follow it, in one; if it turns out to be another function, one by one."""
        count = len(known.strict)
        self.count_call()
        arguments = [self.stack.pop() for _ in range(count)]
        self.settle()
        out = self.out
        for argument in reversed(arguments):
            if argument.pending and argument.thunk is None:
                self.name_it(argument)
        body, closure, name = out.name(), out.name(), out.name()
        out.line(f"{closure} = {out.constant(known.closure)}")
        with out.block(f"if {function.text} is {closure}:"):
            out.line(f"{body} = {out.constant(known.function)}")
            texts = [
                self.early(argument) if strict else self.variable(argument)
                for argument, strict in zip(arguments, known.strict, strict=True)
            ]
            out.line(f"{name} = {body}({self.innermost(known, texts)}, {texts[-1]})")
        with out.block("else:"):
            previous = function.text
            for argument in arguments:
                text = self.variable(argument)
                out.line(f"{name} = {self.called(previous, text)}")
                previous = name
        self.skip = count - 1
        self.stack.append(Operand(name))

    def variable(self, argument: Operand) -> str:
        """The argument, a thunk perhaps that is made now."""
        if not argument.pending:
            return argument.text
        name = self.out.name()
        self.out.line(f"{name} = {argument.text}")
        return name

    def early(self, argument: Operand) -> str:
        """The argument's value, where that takes nothing but arithmetic on integers; else a thunk."""
        simple = None if argument.thunk is None else arithmetic(argument.thunk.code)
        if simple is None or argument.thunk is None:
            return self.variable(argument)
        texts = [self.part(part, argument.thunk) for part in simple[1:]]
        parts = zip(texts, simple[1:], strict=True)
        variables = sorted({text for text, part in parts if type(part) is not int})
        if not variables:
            return self.variable(argument)
        out = self.out
        name = out.name()
        test = _all_ints(variables)
        # Adding a positive constant cannot become too small, taking one away not too large.
        one_way = simple.sign if type(simple.right) is int and simple.right >= 0 else ""
        low = "" if one_way == "+" else f"{INT_MIN} <= "
        high = "" if one_way == "-" else f" <= {INT_MAX}"
        with out.block(f"if not ({test} and {low}({name} := {texts[0]} {simple.sign} {texts[1]}){high}):"):
            out.line(f"{name} = {argument.text}")
        return name

    def part(self, part: Position | int, thunk: _Thunk) -> str:
        if type(part) is int:
            return self.out.constant(part)
        text = thunk.captured[cast(Position, part).index]
        return self.facts.forced.get(text, text)

    def innermost(self, known: Known, arguments: list[str]) -> str:
        """The upvalues of the function at the end of the links."""
        out = self.out
        if not known.links:
            return out.constant(known.closure.__self__)
        upvalues = [out.constant(each) for each in cast(tuple[Value, ...], known.closure.__self__)]
        for link, argument in zip(known.links, arguments[:-1], strict=True):
            upvalues = [upvalues[p.index] if p.is_upvalue else argument for p in link.positions]
        return f"({''.join([f'{text}, ' for text in upvalues])})"

    def call_builtin(self, function: Builtin, argument: Operand) -> None:
        self.count_call()
        self.settle()
        if argument.pending and argument.thunk is None:
            self.name_it(argument)
        out = self.out
        name = out.name()
        if function.arity == 1:
            out.line(f"{name} = {out.constant(function.run)}")
            out.line(f"{name} = {name}({argument.text})")
        else:
            out.line(f"{name} = PartialApplication({out.constant(function)}, ({argument.text},))")
        self.stack.append(Operand(name))


def _all_ints(variables: list[str]) -> str:
    return " is ".join([f"type({variables[0]})", "int", *[f"type({text})" for text in variables[1:]]])


class _nothing:
    """A block that is none."""

    def __enter__(self) -> None: ...

    def __exit__(self, *error: object) -> None: ...


#: What may call functions of the program, which must not be done twice.
_CALLING = frozenset({Op.CALL, Op.COERCE_TO_STRING, Op.FIND_FILE, Op.ASSERT_FAIL})
_CLOSURES = (Op.CLOSURE, Op.THUNK_CLOSURE, Op.THUNK_SUSPENDED)

_JUMPS: dict[Op, Callable[[_Translator, int], int]] = {
    Op.JUMP_IF_FALSE: _Translator.if_false,
    Op.JUMP_IF_TRUE: _Translator.if_true,
    Op.JUMP_IF_NOT_FOUND: _Translator.if_not_found,
}

_OPS: dict[Op, Callable[[_Translator, Instruction], None]] = {
    Op.CONSTANT: _Translator.constant,
    Op.POP: _Translator.drop,
    Op.INVERT: _Translator.invert,
    Op.NEGATE: _Translator.negate,
    Op.ADD: _Translator.add,
    Op.SUB: _Translator.subtract,
    Op.MUL: _Translator.multiply,
    Op.DIV: _Translator.divide,
    Op.EQUAL: _Translator.equal,
    Op.LESS: _Translator.less,
    Op.LESS_OR_EQ: _Translator.less_or_equal,
    Op.MORE: _Translator.more,
    Op.MORE_OR_EQ: _Translator.more_or_equal,
    Op.ATTRS: _Translator.attrs,
    Op.ATTRS_UPDATE: _Translator.update,
    Op.ATTRS_SELECT: _Translator.select,
    Op.ATTRS_TRY_SELECT: _Translator.try_select,
    Op.HAS_ATTR: _Translator.has_attr,
    Op.VALIDATE_CLOSED_FORMALS: _Translator.formals,
    Op.PUSH_WITH: _Translator.push_with,
    Op.POP_WITH: _Translator.pop_with,
    Op.RESOLVE_WITH: _Translator.resolve_with,
    Op.LIST: _Translator.list_,
    Op.CONCAT: _Translator.concat,
    Op.INTERPOLATE: _Translator.interpolate,
    Op.COERCE_TO_STRING: _Translator.coerce,
    Op.FIND_FILE: _Translator.find_file,
    Op.RESOLVE_HOME_PATH: _Translator.home_path,
    Op.ASSERT_BOOL: _Translator.assert_bool,
    Op.ASSERT_ATTRS: _Translator.assert_attrs,
    Op.GET_LOCAL: _Translator.local,
    Op.CLOSE_SCOPE: _Translator.close_scope,
    Op.ASSERT_FAIL: _Translator.assert_fail,
    Op.CALL: _Translator.call,
    Op.GET_UPVALUE: _Translator.upvalue,
    Op.CLOSURE: _Translator.closure,
    Op.THUNK_CLOSURE: _Translator.closure,
    Op.THUNK_SUSPENDED: _Translator.closure,
    Op.FORCE: _Translator.force,
    Op.FINALISE: _Translator.finalise,
}
