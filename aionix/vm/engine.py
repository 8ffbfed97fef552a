"""From compiled code to the thunks and functions of one `Evaluation`, and from tier to tier.

Every `Lambda` that is reached gets a unit: its Python function (`vm.entries`), its code as decoded for
the interpreter, and a count of how much longer it is interpreted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeAlias, TypeVar, cast

from aionix.bytecode.chunk import Lambda
from aionix.bytecode.image import StoredLambda
from aionix.errors import InfiniteRecursion, NixError
from aionix.values.functions import calling
from aionix.values.thunk import Entry, Thunk, Value, leave
from aionix.vm.decode import Code, decode
from aionix.vm.dependencies import Trail
from aionix.vm.entries import applied_entry, entry_with, function_entry, late_entry, thunk_entry
from aionix.vm.fiber import running
from aionix.vm.linking import NotLinkable, inside, link
from aionix.vm.machine import CALLS_PER_LOOK, Machine

if TYPE_CHECKING:
    from aionix.observers import RuntimeObserver

T = TypeVar("T")

#: Runs of a piece of code before it is compiled.
#: Measured, see `benchmarks`: translating takes as long as some hundred interpreted runs.
FUEL = 200
#: Runs of code that was kept before it is compiled anew, knowing what it works with: that takes 1 to 3 ms
#: and saves 20 to 60 ns a run.
KEPT_FUEL = 20_000

#: What a function with more refers to is not replaced one by one: that would take milliseconds together.
MANY_DEFAULTS = 100

#: Instead of an offset: the line begins the same call again, which tells of itself what goes wrong.
AGAIN = -1
#: The line, in compiled code, of what is at offset 0 of the chunk.
FIRST_LINE = 2
#: More runs than there will be.
ENDLESS = 1 << 62


class Compiled(NamedTuple):
    """Python code for a unit, its lines counted from FIRST_LINE on by the chunk's offsets; and the defaults
    of its parameters."""

    code: CodeType
    defaults: tuple[object, ...]


#: Translates the code of a unit, given the upvalues of one of its runs; None if it cannot.
Translate: TypeAlias = "Callable[[Unit, tuple[Value, ...]], Compiled | None]"


#: A function of upvalues and argument.
Body: TypeAlias = Callable[[tuple[Value, ...], Value], Value]


_new = tuple.__new__  # a third of what `Compiled(...)` takes


class Engine:
    """Turns compiled code into thunks and functions of one `Evaluation`.

    Without `translate` everything is interpreted. `fuel` is how many runs of a piece of code are.
    `ran` are the units that were interpreted though their code is kept.
    """

    def __init__(
        self,
        machine: Machine,
        observer: RuntimeObserver | None = None,
        translate: Translate | None = None,
        fuel: int = FUEL,
    ) -> None:
        self.machine = machine
        self.observer = observer
        self.translate = translate if observer is None else None
        self.fuel = fuel
        self.ran: list[Unit] = []

    def take_ran(self) -> list[Unit]:
        """`ran`, which is empty after it."""
        ran, self.ran = self.ran, []
        return ran

    def thunk(self, code: Lambda, scope: Mapping[str, Value], trail: Trail) -> Thunk:
        """A suspended thunk for top-level code, its globals taken from `scope`; what it looks at is
        noted in `trail`."""
        return [ThunkUnit(self, code, scope, trail, None).function, ()]


class Unit:
    """A `Lambda` as one evaluation runs it. `parent` has the code that it is inside of."""

    __slots__ = (
        "code", "compiled", "decoded", "engine", "entries", "fuel", "function", "machine", "nested", "parent",
        "sample", "scope", "started", "stub", "trail",
    )  # fmt: skip

    is_thunk: ClassVar[bool]
    #: What runs it: the entry of thunks, or what closures are bound from.
    function: Callable[..., Value]

    def __init__(
        self, engine: Engine, code: Lambda, scope: Mapping[str, Value], trail: Trail, parent: Unit | None
    ) -> None:
        self.engine = engine
        self.parent = parent
        self.machine = engine.machine
        self.code = code
        self.scope = scope
        self.trail = trail
        self.decoded: Code | None = None
        self.fuel = 0  # `compile` fills it
        self.started = False
        self.compiled: tuple[CodeType, ...] = ()  # the newest first; older code may still be running
        self.nested: dict[Lambda, Callable[..., Value]] = {}
        self.entries: dict[int, Entry] = {}
        self.stub: Callable[[int, Thunk], Value] | None = None
        self.sample: tuple[Value, ...] = ()  # the upvalues of its first run, if its code is kept

    def entry(self, code: Lambda) -> Entry:
        """What thunks of `code`, which is inside of this one, hold while they are suspended."""
        entry = self.nested.get(code)
        if entry is None:
            entry = self.nested[code] = ThunkUnit(self.engine, code, self.scope, self.trail, self).function
        return entry

    def body(self, code: Lambda) -> Body:
        """What closures of `code`, which is inside of this one, are bound from."""
        if code not in self.nested:
            self.nested[code] = FunctionUnit(self.engine, code, self.scope, self.trail, self).function
        return self.nested[code]

    def decode(self, upvalues: tuple[Value, ...]) -> Code:
        """The code for the interpreter, made when it first runs."""
        if type(self.code) is StoredLambda:
            self.sample = upvalues
            self.engine.ran.append(self)
        self.decoded = decode(self)
        return self.decoded

    def compile(self, upvalues: tuple[Value, ...]) -> bool:
        """Lets this unit's function run compiled code from now on; False if there is none."""
        compiled = self._compiled(upvalues)
        if compiled is not None:
            self.compiled = (compiled.code, *self.compiled)
            python = cast(FunctionType, self.function)
            python.__defaults__ = compiled.defaults  # first: the code that has been there takes none
            python.__code__ = compiled.code
        return bool(self.compiled)

    def _compiled(self, upvalues: tuple[Value, ...]) -> Compiled | None:
        """Code, if it is time: at the first run what is kept, and new code when the fuel is spent."""
        engine = self.engine
        if engine.translate is None:
            self.fuel = ENDLESS
            return None
        if not self.started:
            self.started = True
            self.fuel = engine.fuel - 1
            kept = self.kept()
            if kept is not None or self.fuel >= 0:
                return kept
        self.fuel = ENDLESS
        return engine.translate(self, upvalues)

    def kept(self) -> Compiled | None:
        """The code that is kept, if it is right here."""
        stored = self.code
        native = stored.reader.native(stored.offset) if type(stored) is StoredLambda else None
        if native is None:
            return None
        code, recipes, plain = native
        try:
            defaults = (self.machine, *recipes) if plain else link(self, recipes)
        except NotLinkable:
            return None
        self.fuel = KEPT_FUEL
        return _new(Compiled, (code, defaults))

    # Code that was kept runs these.

    def late(self) -> Callable[[int, Thunk], Value]:
        """What, bound to an offset of the image, is the entry of thunks whose code there has no unit yet."""
        if self.stub is None:
            self.stub = late_entry(self.arrived, self.entries)
        return self.stub

    def arrived(self, offset: int) -> Entry:
        """The entry of the unit of the code at `offset`. When that comes again, the thunks that are made from
        then on have it themselves: most code of thunks never runs, or once."""
        code = inside(self, offset)
        if code not in self.nested:
            return self.entry(code)
        entry = self.entries[offset] = self.entry(code)
        python: FunctionType = self.function  # type: ignore[assignment]  # nothing else is one
        defaults = python.__defaults__ or ()
        if self.stub is not None and len(defaults) <= MANY_DEFAULTS:
            late = MethodType(self.stub, offset)
            python.__defaults__ = tuple(
                [entry if type(each) is MethodType and each == late else each for each in defaults]
            )
        return entry

    def seen(self, upvalues: tuple[Value, ...]) -> None:
        """It ran when the clock was looked at, as one run in CALLS_PER_LOOK does."""
        self.fuel -= CALLS_PER_LOOK
        if self.fuel < 0:
            self.compile(upvalues)

    def leave_map(self, error: NixError, thunk: int, offset: int, builtin: str) -> None:
        """The way out of `builtin (map function list)`. `map` would be called at `offset` of
        the constant `thunk`: that is where it has failed, if it has."""
        frame = error.newest_frame
        if frame is not None and frame.span is None and frame.message == calling("map"):
            code = cast(Lambda, self.code.chunk.constants[thunk])
            error.place(code.chunk.span_at(offset))
            error.add_frame(calling(builtin))

    def offset(self, error: NixError) -> int | None:
        """Where in the chunk the error was, if the frame that it leaves runs compiled code."""
        traceback = error.__traceback__
        for compiled in self.compiled:
            if traceback is not None and traceback.tb_frame.f_code is compiled:
                return traceback.tb_lineno - FIRST_LINE
        return None


class ThunkUnit(Unit):
    """The code of thunks."""

    __slots__ = ()

    is_thunk = True
    function: Entry

    def __init__(
        self, engine: Engine, code: Lambda, scope: Mapping[str, Value], trail: Trail, parent: Unit | None
    ) -> None:
        super().__init__(engine, code, scope, trail, parent)
        # A unit is made when a thunk of it is forced: what is kept runs at once.
        kept = None if engine.translate is None else self.kept()
        if kept is None:
            self.function = thunk_entry(self)
        else:
            self.started = True
            self.compiled = (kept.code,)
            self.function = entry_with(self, *kept)

    def leave(self, thunk: Thunk, upvalues: tuple[Value, ...], error: BaseException) -> None:
        """The way out of the thunk that `error` ends."""
        if isinstance(error, NixError):
            offset = self.offset(error)
            if offset is not None:
                error.place(self.code.chunk.span_at(offset))
            if isinstance(error, InfiniteRecursion):
                error.leave(thunk)
            if self.code.name:
                error.add_frame(f"while evaluating the attribute '{self.code.name}'", self.code.span)
        leave(thunk, self.function, upvalues, error)


class FunctionUnit(Unit):
    """The code of functions. `applied`: the entry of thunks for a call; their payload are the upvalues and
    the argument. `made`: what `native.known` found out of the function that this one makes."""

    __slots__ = ("applied", "made")

    is_thunk = False
    function: Body

    def __init__(
        self, engine: Engine, code: Lambda, scope: Mapping[str, Value], trail: Trail, parent: Unit | None
    ) -> None:
        super().__init__(engine, code, scope, trail, parent)
        self.function = function_entry(self)
        self.applied = applied_entry(self.function, self.machine)
        self.made: object = None
        # values.printing and functionArgs read the code of a closure, native.known its unit.
        self.function.code = code  # type: ignore[attr-defined]
        self.function.unit = self  # type: ignore[attr-defined]

    def leave(self, error: NixError, calls: list[int] | None = None) -> None:
        """The way out of a call that `error` ends, and of those that it was before, if it is a loop:
        each made the next one at one of the offsets `calls`."""
        for offset in (self.offset(error), *reversed(calls or [])):
            if offset == AGAIN:
                continue
            if offset is not None:
                error.place(self.code.chunk.span_at(offset))
            error.add_frame(f"while calling {quoted_name(self.code)}", fallback=self.code.span)

    def deeper(self, upvalues: tuple[Value, ...], argument: Value) -> Value:
        """The call, on a fiber that has room for it."""
        return running().deeper(lambda: self.function(upvalues, argument))

    # Compiled code counts itself as a call only when it calls; what else it evaluates, it does through these.

    def inside(self, function: Callable[[Value, Value], T], left: Value, right: Value) -> T:
        """`function(left, right)`, one call deeper."""
        machine = self.machine
        depth = machine.depth
        if depth >= machine.limit:
            return cast(T, running().deeper(lambda: function(left, right)))
        machine.depth = depth + 1
        value = function(left, right)
        machine.depth = depth
        return value


def quoted_name(code: Lambda) -> str:
    """The function as traces call it: `'f'`, or `anonymous lambda`."""
    return f"'{code.name}'" if code.name else "anonymous lambda"
