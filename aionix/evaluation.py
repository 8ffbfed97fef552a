"""The front door: builds an `Evaluation`, and runs code in it.

This is the one file that knows every room. What lives long (globals, sources, import cache,
compiled code) belongs to the `Evaluation`; what lives for one evaluation (frames, fibers) to
the `Run` that each call makes. Any number of calls may run at the same time on one event loop.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from posixpath import dirname, join
from typing import Literal, Self, TypeVar, cast, get_args

import anyio

from aionix import telemetry
from aionix._version import __version__
from aionix.builtins import INTERNAL_FILES, make_scope
from aionix.builtins.encode import to_json
from aionix.builtins.files import read_bytes
from aionix.builtins.imports import import_file
from aionix.builtins.registry import Spec
from aionix.bytecode.cache import CodeCache
from aionix.code_cache import FileCode, default_directory
from aionix.compiler import CompileResult, Text
from aionix.errors import (
    BudgetExceeded,
    BuiltinFailed,
    CompileError,
    DeadlineExceeded,
    FileError,
    InternalError,
    NixError,
    NixPathResolution,
    OutOfMemory,
    StackOverflow,
)
from aionix.io import EvalIO
from aionix.native.translator import (
    MAX_INSTRUCTIONS_BESIDE_A_LOOP,
    MAX_KEPT_INSTRUCTIONS,
    translate,
    translate_to_keep,
)
from aionix.observers import CompilerObserver, RuntimeObserver
from aionix.recent_code import Recent, RecentCode
from aionix.source import Source, SourceMap
from aionix.store.virtual import VirtualStore
from aionix.syntax import ParseOptions, parse
from aionix.syntax.nodes import Expr
from aionix.syntax.tables import load as load_tables
from aionix.value import NixValue
from aionix.values.convert import from_python
from aionix.values.deep import force_deep
from aionix.values.functions import call
from aionix.values.output import check_output
from aionix.values.paths import clean
from aionix.values.thunk import Entry, Thunk, Value, force, native
from aionix.vm.account import Account, Budget, Usage, charged, current_account
from aionix.vm.backend import Backend
from aionix.vm.dependencies import Access, Trail, asking
from aionix.vm.engine import FUEL, Engine, Translate
from aionix.vm.fiber import checkpoint, running
from aionix.vm.host import Host
from aionix.vm.imports import File, Imports, Scope
from aionix.vm.machine import AHEAD, TURNS, Machine
from aionix.vm.read_ahead import may_be_imported
from aionix.vm.run import Run, use
from aionix.vm.search_path import parse_search_path, split_nix_path
from aionix.vm.store_files import StoreFiles
from aionix.warnings import EvalWarning

load_tables()  # now, since reading a file later would block the event loop

T = TypeVar("T")

# Where the warnings about what is compiled for an evaluation go; those of others run meanwhile.
_warnings: ContextVar[list[EvalWarning]] = ContextVar("_warnings")

Mode = Literal["lazy", "strict", "json"]
Tier = Literal["interpreter", "native", "auto"]

UNBOUNDED = Budget()
#: Nested calls before a "stack overflow" error; the number of C++ Nix.
MAX_CALL_DEPTH = 10_000


def default_tier() -> Tier:
    """The tier that AIONIX_TIER names; `auto` if it names none."""
    named = os.environ.get("AIONIX_TIER")
    return cast(Tier, named) if named in get_args(Tier) else "auto"


def _tiers(tier: Tier) -> tuple[Translate | None, int]:
    """What translates code, and after how many runs."""
    if tier == "interpreter":
        return None, FUEL
    return translate, 0 if tier == "native" else FUEL


def _trace_to_stderr(message: str) -> None:
    print(message, file=sys.stderr)


def _guarded(sink: Callable[[str], None]) -> Callable[[str], None]:
    def trace(message: str) -> None:
        running().wait_for_turn()
        try:
            sink(message)
        except Exception as error:
            raise BuiltinFailed(f"the trace sink failed: {type(error).__name__}: {error}") from error

    return trace


def current_system() -> str:
    """This machine as Nix names it, such as `x86_64-linux`."""
    system = os.uname()
    machine = system.machine.lower()
    names = {"amd64": "x86_64", "arm64": "aarch64", "i386": "i686", "i586": "i686"}
    return f"{names.get(machine, machine)}-{system.sysname.lower()}"


@dataclass(slots=True)
class EvaluationResult:
    """What came of one evaluation.

    `value` is there unless something failed; `errors` has one runtime or parse error, or all
    compile errors of one text; `warnings` are about the code and the files that were read for it;
    `expr` is the syntax tree once parsing of a text succeeded; `usage` is what all this took.
    """

    value: NixValue | None = None
    errors: list[NixError] = field(default_factory=list)
    warnings: list[EvalWarning] = field(default_factory=list)
    expr: Expr | None = field(default=None, repr=False)
    usage: Usage = Usage()  # noqa: RUF009 - it is immutable
    _trail: Trail = field(default_factory=Trail, repr=False)

    @property
    def dependencies(self) -> dict[str, Access]:
        """Every path that this evaluation read, listed, looked for or found missing, and how; also if it
        failed. What other evaluations looked at for the files that it shares with them, or for the same
        text, is among that."""
        return self._trail.dependencies()

    def unwrap(self) -> NixValue:
        """The value; raises the first error if there is none, ValueError if nothing was evaluated."""
        if self.errors:
            raise self.errors[0]
        if self.value is None:
            raise ValueError("the code was compiled only: there is no value")
        return self.value


class EvaluationBuilder:
    """The settings of an `Evaluation`, before it exists. Each method returns the builder."""

    def __init__(self, io: EvalIO) -> None:
        self._io = io
        self._pure = False
        self._search_path: list[str] = []
        self._max_call_depth = MAX_CALL_DEPTH
        self._ahead = AHEAD
        self._mode: Mode = "lazy"
        self._env: dict[str, object] = {}
        self._builtins: list[Spec] = []
        self._parse_options = ParseOptions()
        self._trace: Callable[[str], None] = _trace_to_stderr
        self._abort_on_warn = False
        self._system = current_system()
        self._runtime_observer: RuntimeObserver | None = None
        self._compiler_observer: CompilerObserver | None = None
        self._sources: SourceMap | None = None
        self._features: frozenset[str] = frozenset()
        self._tier: Tier = default_tier()
        self._code_cache: CodeCache | None = None
        self._code_threads = True
        self._slice: float | None = None

    def pure(self, value: bool = True) -> Self:
        """No environment, no clock, no system name: only what the code and its files say."""
        self._pure = value
        return self

    def search_path(self, entries: Iterable[str]) -> Self:
        """What `<name>` looks through: `prefix=path`, or a bare path whose entries are the names."""
        if isinstance(entries, str):
            raise TypeError("a search path is a list of entries, not one text")
        self._search_path = list(entries)
        return self

    def max_call_depth(self, depth: int) -> Self:
        """How many calls may be nested before the evaluation fails with a stack overflow."""
        self._max_call_depth = depth
        return self

    def ahead(self, count: int) -> Self:
        """How many values an evaluation may be working on, while it waits, besides the one that is due.

        What is sure to be evaluated (elements of a list that is concatenated, attributes of a derivation,
        everything in strict mode or in JSON) then does not wait for what comes before it: 64 unless
        told. Values, errors, and the order of traces are those of one after the other, which 0 means.
        A builtin of your own may be called for a value that, after an error, is not needed.
        """
        self._ahead = count
        return self

    def slice(self, seconds: float) -> Self:
        """How long code may run before the event loop has a turn; 5 ms unless told.

        A program that has nothing else to do saves a tenth of its time with 100 ms.
        """
        self._slice = seconds
        return self

    def mode(self, mode: Mode) -> Self:
        """`lazy`: results are evaluated to their outermost constructor; `strict`: all through; `json`:
        they are strings, what `builtins.toJSON` makes of the value."""
        if mode not in get_args(Mode):
            raise ValueError(f"the mode is one of {', '.join(get_args(Mode))}, not {mode!r}")
        self._mode = mode
        return self

    def env(self, variables: Mapping[str, object]) -> Self:
        """More global variables for the code given to `evaluate` (imported files do not see them).

        Python data, functions made with `@aionix.builtin`, or values of this evaluator.
        """
        self._env.update(variables)
        return self

    def builtins(self, *specs: Spec) -> Self:
        """Builtins of your own, made with `@aionix.builtin`."""
        for spec in specs:
            if not isinstance(spec, Spec):
                raise TypeError(f"{spec!r} is no builtin: make it one with @aionix.builtin")
        self._builtins += specs
        return self

    def parse_options(self, options: ParseOptions) -> Self:
        self._parse_options = options
        return self

    def trace(self, sink: Callable[[str], None]) -> Self:
        """Where `builtins.trace` and `builtins.warn` send their lines; stderr unless told."""
        self._trace = sink
        return self

    def abort_on_warn(self, value: bool = True) -> Self:
        """Makes `builtins.warn` an error."""
        self._abort_on_warn = value
        return self

    def current_system(self, system: str) -> Self:
        """What `builtins.currentSystem` says, such as `x86_64-linux`."""
        self._system = system
        return self

    def runtime_observer(self, observer: RuntimeObserver | None) -> Self:
        self._runtime_observer = observer
        return self

    def compiler_observer(self, observer: CompilerObserver | None) -> Self:
        self._compiler_observer = observer
        return self

    def features(self, names: Iterable[str]) -> Self:
        """Experimental features of Nix to have: `ca-derivations`, `impure-derivations`,
        `dynamic-derivations`, `git-hashing`. (`pipe-operators` is a matter of `parse_options`.)"""
        self._features = frozenset(names)
        return self

    def code_cache(
        self, directory: str | os.PathLike[str] | bool = True, *, threads: bool = True
    ) -> Self:
        """Keeps the code of files in `directory`, for later processes; True means `aionix/code` in the
        user's cache directory, False (as it is unless told) that no code is kept.

        A directory that others could write is not used. Lints are not told of kept code, so with
        one in the `parse_options` the cache is not used either. With `threads=False` the event loop
        stands still while code is read.
        """
        where = default_directory() if directory is True else directory
        self._code_cache = CodeCache(where) if where else None
        self._code_threads = threads
        return self

    def tier(self, tier: Tier) -> Self:
        """How code runs: `auto` compiles what runs often to Python, `interpreter` nothing, `native` all.

        The results are the same. Unless told, what the environment variable AIONIX_TIER says, or `auto`.
        """
        if tier not in get_args(Tier):
            raise ValueError(f"the tier is one of {', '.join(get_args(Tier))}, not {tier!r}")
        self._tier = tier
        return self

    def source_map(self, sources: SourceMap) -> Self:
        """Shares a source map with other evaluations."""
        self._sources = sources
        return self

    def build(self) -> Evaluation:
        """The `Evaluation`; its globals are made now."""
        return Evaluation(self)


class Evaluation:
    """An evaluator with its globals, its import cache and its outside world.

    Use it from one event loop (asyncio or trio) at a time. Values of one `Evaluation` belong to
    it: their laziness needs it.
    """

    def __init__(self, settings: EvaluationBuilder) -> None:
        self.sources = settings._sources or SourceMap()
        self.store = VirtualStore(settings._io.store_dir() or "/nix/store")
        backend = Backend(settings._io)
        self._early = backend.early
        self.host = Host(
            io=StoreFiles(backend, self.store, INTERNAL_FILES),
            store=self.store,
            sources=self.sources,
            imports=Imports(self._load),
            trace=_guarded(settings._trace),
            search_path=parse_search_path(settings._search_path, os.getcwd()),
            pure=settings._pure,
            current_system=settings._system,
            abort_on_warn=settings._abort_on_warn,
            features=settings._features,
        )
        # Observers are told of one thing after the other.
        ahead = settings._ahead if settings._runtime_observer is None else 0
        self.machine = Machine(settings._max_call_depth, ahead, settings._slice)
        self.machine.helped = ahead > 0 or self._early is not None
        self._engine = Engine(self.machine, settings._runtime_observer, *_tiers(settings._tier))
        self._compiler_observer = settings._compiler_observer
        self._options = settings._parse_options
        self._file_code = None
        if settings._code_cache is not None and not self._options.lints:
            # Builtins of other meanings would be taken for granted by Python code that is kept.
            keeps = not settings._builtins and settings._tier != "interpreter"
            limit = MAX_INSTRUCTIONS_BESIDE_A_LOOP if settings._code_threads else MAX_KEPT_INSTRUCTIONS
            keep = partial(translate_to_keep, limit=limit) if keeps else None
            self._file_code = FileCode(settings._code_cache, self._options, settings._code_threads, keep)
        self._mode: Mode = settings._mode
        self._recent = RecentCode()
        self._from_source = native(self._evaluate_builtin)
        self.globals = make_scope(self.host, self._builtin_thunk, __version__, settings._builtins)
        self._env = {name: self._to_value(value) for name, value in settings._env.items()}

    @staticmethod
    def builder(io: EvalIO) -> EvaluationBuilder:
        """Settings for an evaluation whose files come from `io`."""
        return EvaluationBuilder(io)

    @staticmethod
    def builder_pure() -> EvaluationBuilder:
        """Settings for code that may look at nothing: no file, environment or clock."""
        from io_backends import Sealed

        return EvaluationBuilder(Sealed()).pure()

    @staticmethod
    def builder_impure() -> EvaluationBuilder:
        """Settings for code that sees what a command line tool of Nix sees: disk, environment, NIX_PATH."""
        from io_backends import default_io

        io = default_io()
        return EvaluationBuilder(io).search_path(split_nix_path(io.get_env("NIX_PATH") or ""))

    # -- running

    async def run(self, function: Callable[[], T]) -> T:
        """What `function()` returns, run in a fiber: it may force, call, and be suspended.

        Raises NixError for the program's mistakes, InternalError for ours, and RuntimeError if the
        evaluation is in use on another thread's event loop.
        """
        try:
            await TURNS.admitted(self.machine.slice)
            with charged(current_account()):  # one for all that it asks
                return await self._run(function)
        finally:
            TURNS.call_next()

    async def _run(self, function: Callable[[], T]) -> T:
        with self.machine.in_use():
            return await self._result(function)

    async def _result(self, function: Callable[[], T]) -> T:
        failure: NixError | None = None
        try:
            value = await Run(self.machine, self.host).result(function)
        except NixError as error:
            failure = error.snapshot()
        except InternalError:
            raise
        except RecursionError:
            failure = StackOverflow("stack overflow; Python's own stack is exhausted")
        except MemoryError:
            failure = OutOfMemory("out of memory")
        except Exception as error:
            raise InternalError(f"{type(error).__name__}: {error}") from error
        if self._file_code is not None:
            self._file_code.save(self._engine.take_ran())
        if failure is None:
            return value
        # Raised out here, and as a copy: the traceback of the one that came holds every frame it
        # passed, and with them all that was computed there.
        failure.belongs_to(self.sources)
        raise failure

    async def evaluate(
        self,
        code: str | bytes,
        location: str | None = None,
        *,
        base_dir: str | None = None,
        arguments: Iterable[object] = (),
        budget: Budget = UNBOUNDED,
    ) -> EvaluationResult:
        """Evaluates a text. Nothing that is wrong with it is raised: see `EvaluationResult`.

        `location` is the absolute path it is said to come from; relative paths in it begin at
        `base_dir`, which is the directory of `location`, or else the current directory. If there are
        `arguments` (Python data, or Nix values), the value is a function that is applied to them.
        """


        def prepared(result: EvaluationResult) -> Callable[[], Value]:
            compiled = self._text(code, location, base_dir, result)
            return lambda: self._finish(compiled(), arguments)

        return await self._completed(prepared, budget, location or "«string»")

    async def compile_only(
        self, code: str | bytes, location: str | None = None, *, base_dir: str | None = None
    ) -> EvaluationResult:
        """As `evaluate`, but nothing runs: the result has the tree, errors and warnings, no value."""
        result = EvaluationResult()
        await self._collected(result, self._text(code, location, base_dir, result))
        return result

    def _text(
        self, code: str | bytes, location: str | None, base_dir: str | None, result: EvaluationResult
    ) -> Callable[[], Thunk]:
        """What compiles `code`, in a fiber, and leaves its tree in `result`."""
        if not isinstance(code, (str, bytes)):
            given = type(code).__name__
            raise TypeError(f"Nix code is str or bytes, not {given}; a path is for evaluate_file")
        if base_dir is None:
            base_dir = dirname(location) if location else os.getcwd()
        known = self._recent.get(code, location, base_dir)
        source = known.source if known else self.sources.add(location or "«string»", code, keep=False)
        result._trail.sources.append(source)

        def compiled() -> Thunk:
            text = known or self._new_text(code, source, location, base_dir, result)
            if known is not None:
                result.warnings.extend(known.warnings)
            result.expr = text.expr
            result._trail.used.add(text.trail)
            return [text.entry, ()]

        return compiled

    def _new_text(
        self, code: str | bytes, source: Source, location: str | None, base_dir: str, result: EvaluationResult
    ) -> Recent:
        result.expr = parse(source, self._options, checkpoint=checkpoint)
        scope = self.globals if not self._env else {**self.globals, **self._env}
        made = self._about(source, base_dir, scope).compiled(result.expr)
        trail = Trail()
        trail.sources.append(source)
        entry, _ = self._thunk(made, scope, trail)
        text = Recent(source, result.expr, made.warnings, cast(Entry, entry), trail)
        self._recent.add(code, location, base_dir, text)
        return text

    async def evaluate_file(
        self,
        path: str | os.PathLike[str],
        *,
        arguments: Iterable[object] = (),
        budget: Budget = UNBOUNDED,
    ) -> EvaluationResult:
        """Evaluates the file at `path` as `import` does: once, and from the cache ever after.

        `arguments` are as in `evaluate`; the function is applied each time.
        """
        absolute = clean(join(os.getcwd(), os.fspath(path)))

        def imported() -> Value:
            return self._finish(import_file(self.host, absolute), arguments)

        return await self._completed(lambda _: imported, budget, absolute)

    def invalidate(self, paths: Iterable[str | os.PathLike[str]]) -> list[str]:
        """Forgets what `paths`, which have changed, come or gone, matter to, so that it is read and
        evaluated anew when it is needed next; the paths of the files that were forgotten.

        A change of a directory is one of what is in it; what is new in a directory matters to who listed
        it. Values that were returned before stay as they are.

            evaluation.invalidate(["/srv/lib.nix"])
        """
        self._recent.clear()
        return self.host.forget([clean(join(os.getcwd(), os.fspath(path))) for path in paths])

    async def evaluate_value(
        self, function: Callable[[], Value], *, budget: Budget = UNBOUNDED
    ) -> EvaluationResult:
        """Like `evaluate`, for a Python function that runs in a fiber and returns a value."""
        return await self._completed(lambda _: lambda: self._finish(function()), budget, "«value»")

    async def _completed(
        self, prepared: Callable[[EvaluationResult], Callable[[], Value]], budget: Budget, what: str
    ) -> EvaluationResult:
        """What comes of `prepared(result)()`, which runs in a fiber."""
        result = EvaluationResult()
        with telemetry.span("evaluate", "what", what) as span:
            await self._bounded(result, prepared, budget)
            _tell(span, what, result)
        return result

    async def _bounded(
        self,
        result: EvaluationResult,
        prepared: Callable[[EvaluationResult], Callable[[], Value]],
        budget: Budget,
    ) -> None:
        account = Account(budget, result._trail)
        # No scope without a deadline: it takes as long as all else that comes before the turn.
        scope = nullcontext() if budget.seconds is None else anyio.move_on_after(budget.seconds)
        with scope as deadline:
            try:
                await TURNS.admitted(self.machine.slice)
                use(result._trail)  # if a builtin asks for this evaluation
                with charged(account):
                    value = await self._collected(result, prepared(result))
                if not result.errors:
                    result.value = NixValue(self, value, result._trail)
            finally:
                TURNS.call_next()
        if deadline is not None and deadline.cancelled_caught:
            result.errors = [DeadlineExceeded(f"the evaluation took longer than {budget.seconds} s")]
        result.usage = account.usage()

    async def _collected(self, result: EvaluationResult, function: Callable[[], Value]) -> Value:
        """What `function` returns; `result` gets the warnings, and the errors instead of a raise."""
        token = _warnings.set(result.warnings)
        try:
            return await self._run(function)
        except NixError as error:
            result.errors = [error, *(error.others if isinstance(error, CompileError) else ())]
            for each in result.errors:
                each.belongs_to(self.sources)
            return None
        finally:
            _warnings.reset(token)

    def _finish(self, value: Value, arguments: Iterable[object] = ()) -> Value:
        value = force(value)
        for argument in arguments:
            value = call(value, self._to_value(argument))
        if self._mode == "strict":
            force_deep(value)
        elif self._mode == "json":
            value = to_json(value)
        check_output(value, current_account().budget.output)
        return value

    def _about(self, source: Source, base_dir: str, scope: Scope) -> Text:
        return Text(source, frozenset(scope), base_dir, checkpoint, self._options.pipe_operators)

    def _thunk(self, compiled: CompileResult, scope: Scope, trail: Trail) -> Thunk:
        heard = _warnings.get(None)
        if heard is not None:
            heard.extend(compiled.warnings)
        if compiled.errors or compiled.code is None:
            first, *others = compiled.errors
            first.others = tuple(others)
            raise first
        if self._compiler_observer is not None:
            self._compiler_observer.compiled(compiled.code)
        return self._engine.thunk(compiled.code, scope, trail)

    def _to_value(self, value: object) -> Value:
        if isinstance(value, Spec):
            return value.bind(self.host)
        return from_python(value)

    # -- files and source-level builtins: run in a fiber

    def _load(self, file: File) -> Value:
        telemetry.log.debug("loading %r", file.path)
        with telemetry.span("import", "path", file.path):
            return self._loaded(file)

    def _loaded(self, file: File) -> Value:
        file.trail.note(file.path, Access.READ)
        with asking(file.trail):
            data = running().suspend(read_bytes(self.host, file.path))
        source = self.sources.add(file.path, data, keep=False)
        file.trail.sources.append(source)
        names = self.globals if file.scope is None else {**self.globals, **file.scope}
        text = self._about(source, dirname(file.path), names)
        result = self._kept(text, self._options, file.scope is not None)
        self._fetch_what_is_mentioned(result, dirname(file.path))
        return force(self._thunk(result, names, file.trail))

    def _kept(self, text: Text, options: ParseOptions, own_scope: bool = False) -> CompileResult:
        """The code of a text that other processes will need, too."""

        def compiled() -> CompileResult:
            return text.compiled(parse(text.source, options, checkpoint=checkpoint))

        kept = self._file_code
        return compiled() if kept is None else kept.of(text, own_scope, compiled)

    def _fetch_what_is_mentioned(self, compiled: CompileResult, directory: str) -> None:
        helpers = running().run.ahead
        if self._early is not None and helpers is not None:
            paths = may_be_imported(compiled.paths, directory)
            helpers.fetch(self._early, [path for path in paths if not self.host.imports.knows(path)])

    def _builtin_thunk(self, name: str, text: str) -> Thunk:
        return self._from_source((name, text))

    def _evaluate_builtin(self, named: tuple[str, str]) -> Value:
        name, text = named
        about = Text(self.sources.add(name, text), frozenset(self.globals), "/", checkpoint)
        return force(self._thunk(self._kept(about, ParseOptions()), self.globals, Trail()))


def _tell(span: telemetry.Span, what: str, result: EvaluationResult) -> None:
    usage, codes = result.usage, [error.code for error in result.errors]
    for name in ("steps", "io_calls", "bytes_read"):
        span.set_attribute(f"aionix.{name}", getattr(usage, name))
    if codes:
        span.set_attribute("aionix.error_code", codes[0])
    ran_out = result.errors and isinstance(result.errors[0], BudgetExceeded)
    telemetry.log.log(
        logging.INFO if ran_out else logging.DEBUG,
        "evaluated %r in %.3f s, %d steps: %s", what, usage.seconds, usage.steps, " ".join(codes) or "done",
    )  # fmt: skip


async def evaluate(
    code: str | bytes, *, io: EvalIO | None = None, strict: bool = True, **variables: object
) -> NixValue:
    """The value of a piece of Nix code. Raises NixError.

    Unless `io` says otherwise the code can read no file, no environment and no clock. `variables`
    are Python data, or functions made with `@aionix.builtin`, that the code sees as global
    variables. With `strict` the value is evaluated all through, so that `to_python()` can follow
    at once.

        value = await aionix.evaluate("map (n: n * factor) [ 1 2 3 ]", factor=2)
        assert value.to_python() == [2, 4, 6]
    """
    from io_backends import Sealed

    builder = Evaluation.builder(io or Sealed()).mode("strict" if strict else "lazy").env(variables)
    evaluation = builder.pure(io is None).build()
    result = await evaluation.evaluate(code, base_dir="/" if io is None else None)
    for error in result.errors:
        if io is None and isinstance(error, (FileError, NixPathResolution)):
            error.hint = "give the evaluation files, as in evaluate(code, io=LocalDisk())"
    return result.unwrap()


async def evaluate_file(
    path: str | os.PathLike[str], *, io: EvalIO | None = None, strict: bool = True
) -> NixValue:
    """The value of the Nix file at `path`, and of what it imports. Raises NixError.

    Files come from the local disk, unless `io` says otherwise.
    """
    from io_backends import LocalDisk

    evaluation = Evaluation.builder(io or LocalDisk()).mode("strict" if strict else "lazy").build()
    return (await evaluation.evaluate_file(path)).unwrap()
