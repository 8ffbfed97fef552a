"""Everything that can go wrong, as a tree; and where it went wrong, as a trace.

    NixError                     the guest program's mistake: code, message, span, trace, hint
      ParseError                 the text is not Nix
      CompileError               it is Nix, but cannot mean anything
        UndefinedVariable  DuplicateAttribute  LiteralError
      EvalError                  it went wrong while running
        CatchableError           what `tryEval` catches
          Throw  AssertionFailed  NixPathResolution  UnimplementedFeature
        Abort  TypeMismatch  MissingAttribute  NotCallable  NotCoercible  Incomparable
        UnexpectedArgument  MissingArgument  InfiniteRecursion  StackOverflow
        DivisionByZero  IntegerOverflow  IndexOutOfBounds  NotAnAbsolutePath  FileError (BackendFailed)
        ConversionError  InvalidRegex  InvalidHash  ContextError  InvalidArgument  NotAvailable  BuiltinFailed
        OutOfMemory
        BudgetExceeded           it wanted more than its `Budget` has
          StepsExceeded  MemoryExceeded  IOExceeded  OutputExceeded  DeadlineExceeded
    InternalError                our mistake: please report it

Whoever raises says what happened. Each frame that the error passes on its way out adds where
(`add_frame`); nothing is looked up for that. `aionix.rendering` makes the only text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar, NamedTuple, Self

from aionix.source import Source, SourceMap, Span


class TraceFrame(NamedTuple):
    """One step of the way out: what was going on (`while calling 'f'`), and where."""

    message: str
    span: Span | None


# Innermost last: (newest frame, its place for want of a better one, the frames before it). A
# linked list, so that an error kept by a thunk shares its trace with the one that goes on.
_Trace = tuple[TraceFrame, Span | None, "_Trace"] | None


class NixError(Exception):
    """A mistake in the program that was evaluated, or in the files it needs."""

    code: ClassVar[str] = "E000"
    #: A thunk keeps an error of this kind and raises it again; False where another try, from
    #: another place, may do better.
    lasting: ClassVar[bool] = True

    def __init__(self, message: str, *, span: Span | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.hint = hint
        self.sources: SourceMap | None = None
        self._texts: list[Source] = []
        self._trace: _Trace = None

    def add_frame(self, message: str, span: Span | None = None, *, fallback: Span | None = None) -> None:
        """Notes a step of the way out; a missing `span` is filled in by the next `place`.

        `fallback` serves where there is none: a builtin may have taken the step, not Nix code.
        """
        self._trace = (TraceFrame(message, span), fallback, self._trace)

    def place(self, span: Span) -> None:
        """Says where the error, and the newest frame of its trace, happened; first word wins."""
        if self.span is None:
            self.span = span
        trace = self._trace
        if trace is not None and trace[0].span is None:
            self._trace = (TraceFrame(trace[0].message, span), None, trace[2])

    @property
    def frames(self) -> list[TraceFrame]:
        """What was going on, innermost first."""
        return list(self._walk())[::-1]

    @property
    def newest_frame(self) -> TraceFrame | None:
        """The outermost step so far."""
        return None if self._trace is None else self._trace[0]

    def _walk(self) -> Iterator[TraceFrame]:
        trace = self._trace
        while trace is not None:
            (message, span), fallback, trace = trace
            yield TraceFrame(message, span or fallback)

    def belongs_to(self, sources: SourceMap) -> None:
        """Its spans are places in `sources`; their texts are not forgotten while it lives."""
        self.sources = sources
        self._texts = list({sources.source_at(span.start) for span in self._spans() if span is not None})

    def snapshot(self) -> Self:
        """The error as it is now, without a Python traceback: what a thunk keeps and raises."""
        copy = type(self).__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy.args = self.args
        copy.__cause__ = self.__cause__
        return copy

    def to_dict(self) -> dict[str, object]:
        """The error as plain data (what JSON can say), for logs and other programs.

        `span` and each frame's are `{file, line, column, end_line, end_column}`, counted from
        1, columns in bytes; or None where the place is not known.
        """
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "span": self._where(self.span),
            "frames": [{"message": text, "span": self._where(span)} for text, span in self.frames],
        }

    def _where(self, span: Span | None) -> dict[str, object] | None:
        return None if span is None or self.sources is None else self.sources.where(span)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        # Of the sources only those that the error points into; of the trace a flat list, as
        # pickle recurses into nested tuples.
        state = dict(self.__dict__, _trace=None, _thunk=None, _texts=[])
        if self.sources is not None:
            state["sources"] = self.sources.only([span for span in self._spans() if span is not None])
        return _restore, (type(self), self.args, state, self.frames)

    def _spans(self) -> list[Span | None]:
        return [self.span, *[span for _, span in self.frames]]


def _restore(
    kind: type[NixError], args: tuple[object, ...], state: dict[str, object], frames: list[TraceFrame]
) -> NixError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    for frame in frames:
        error._trace = (frame, None, error._trace)
    return error


class ParseError(NixError):
    code = "E015"


class CompileError(NixError):
    """`others` are further mistakes in the same text; the first is the one that is raised."""

    code = "E012"

    def __init__(self, message: str, *, span: Span | None = None, hint: str | None = None) -> None:
        super().__init__(message, span=span, hint=hint)
        self.others: tuple[CompileError, ...] = ()


class UndefinedVariable(CompileError):
    code = "E010"


class DuplicateAttribute(CompileError):
    """`found_at`: the end of the binding in which it was found. The compiler tells the first one first."""

    code = "E016"
    found_at = 0


class LiteralError(CompileError):
    """A number that does not fit, a path that cannot be."""

    code = "E021"


class EvalError(NixError):
    code = "E046"


class CatchableError(EvalError):
    """What `builtins.tryEval` turns into `{ success = false; }`."""


class Throw(CatchableError):
    code = "E001"


class AssertionFailed(CatchableError):
    code = "E003"


class NixPathResolution(CatchableError):
    code = "E008"


class UnimplementedFeature(CatchableError):
    code = "E999"


class Abort(EvalError):
    code = "E002"


class TypeMismatch(EvalError):
    """`expected a list but found an integer: 1`; built by `values.kinds.type_error`."""

    code = "E006"


class MissingAttribute(EvalError):
    """`attribute 'a' missing`"""

    code = "E005"


class NotCallable(EvalError):
    code = "E013"


class NotCoercible(EvalError):
    code = "E018"


class Incomparable(EvalError):
    code = "E007"


class UnexpectedArgument(EvalError):
    code = "E031"


class MissingArgument(EvalError):
    code = "E047"


class InfiniteRecursion(EvalError):
    """A value that needs itself. `first` is where it was first asked for, `span` where again."""

    code = "E014"

    def __init__(self, thunk: object) -> None:
        super().__init__("infinite recursion encountered")
        self.first: Span | None = None
        self._thunk: object = thunk  # until the error has come back to where it began

    def leave(self, thunk: object) -> None:
        """The error comes out of `thunk`: if the circle ends there, the next place is `first`."""
        if thunk is self._thunk:
            self._thunk = None

    def place(self, span: Span) -> None:
        super().place(span)
        if self._thunk is None and self.first is None:
            self.first = span

    def _spans(self) -> list[Span | None]:
        return [self.first, *super()._spans()]


class StackOverflow(EvalError):
    """Too many calls in each other. From a shallower place the same value may succeed."""

    code = "E042"
    lasting = False


class DivisionByZero(EvalError):
    code = "E033"


class IntegerOverflow(EvalError):
    code = "E043"


class IndexOutOfBounds(EvalError):
    code = "E019"


class NotAnAbsolutePath(EvalError):
    code = "E020"


class FileError(EvalError):
    """A file is missing, unreadable or of the wrong kind. `path` is its name."""

    code = "E029"

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.path = path


class BackendFailed(FileError):
    """The embedding program's `EvalIO` raised something that is no OSError, which is the cause."""

    code = "E050"


class ConversionError(EvalError):
    """To or from JSON, TOML, XML or Python."""

    code = "E030"


class InvalidRegex(EvalError):
    code = "E044"


class InvalidHash(EvalError):
    code = "E041"


class ContextError(EvalError):
    """A string depends on store paths where it must not, or on the wrong ones."""

    code = "E037"


class InvalidArgument(EvalError):
    """A builtin cannot work with this argument, although its type is right."""


class NotAvailable(EvalError):
    """A builtin that this evaluator, or its policy, does not offer."""

    code = "E045"


class BuiltinFailed(EvalError):
    """A function that the embedding program offers raised an exception, which is the cause."""

    code = "E048"


class OutOfMemory(EvalError):
    """A string or list would be too long, or the process has no memory left."""

    code = "E049"
    lasting = False


class BudgetExceeded(EvalError):
    """The evaluation wanted more than its `Budget` has. What it shares with others stays usable."""

    code = "E051"
    lasting = False


class StepsExceeded(BudgetExceeded):
    code = "E052"


class MemoryExceeded(BudgetExceeded):
    code = "E053"


class IOExceeded(BudgetExceeded):
    """Too many questions to the backend, or too many bytes from it."""

    code = "E054"


class OutputExceeded(BudgetExceeded):
    code = "E055"


class DeadlineExceeded(BudgetExceeded):
    code = "E056"


class InternalError(Exception):
    """A fault of aionix itself, never of the program it evaluates. Please report it."""

    def __init__(self, message: str) -> None:
        super().__init__(f"internal error in aionix: {message} (please report this)")
        self._message = message

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return type(self), (self._message,)
