"""Inside a service: context variables, log records and spans go with the request; errors and data travel."""

from __future__ import annotations

import gc
import logging
import pickle
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import PurePosixPath

import anyio
import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.util.types import Attributes

import aionix
from aionix import Budget, Evaluation, Evaluator, errors
from aionix.evaluator import Statistics
from aionix.io import FileReader, FileType
from aionix.source import Span
from io_backends import Memory, Sealed

pytestmark = pytest.mark.anyio

request: ContextVar[str] = ContextVar("request", default="none")


# -- context variables


class Asked(Memory):
    """Notes for whom each question is."""

    def __init__(self, files: dict[str, object]) -> None:
        super().__init__(files)  # type: ignore[arg-type]
        self.seen: set[tuple[str, str]] = set()

    async def _note(self, path: str) -> None:
        await anyio.lowlevel.checkpoint()
        self.seen.add((request.get(), path))

    async def read(self, path: str) -> bytes:
        await self._note(path)
        return await super().read(path)

    async def read_dir(self, path: str) -> dict[str, FileType]:
        await self._note(path)
        return await super().read_dir(path)

    @asynccontextmanager
    async def open(self, path: str) -> AsyncIterator[FileReader]:
        await self._note(path)
        async with super().open(path) as file:
            yield file


@aionix.builtin
def plain(_: int) -> str:
    return request.get()


@aionix.builtin
async def waiting(_: int) -> str:
    await anyio.sleep(0.001)
    return request.get()


@aionix.builtin
async def threaded(_: int) -> str:
    return await anyio.to_thread.run_sync(request.get)


@pytest.mark.parametrize(
    "code",
    [
        "builtins.plain 1",
        "builtins.waiting 1",
        "builtins.threaded 1",
        "import /f.nix 1",
        "builtins.head (builtins.sort (a: b: builtins.plain 1 < builtins.waiting 1) [ (builtins.plain 1) (builtins.waiting 1) ])",
        "let f = n: if n == 0 then builtins.waiting 1 else builtins.head [ (f (n - 1)) ]; in f 2000",
        "builtins.foldl' (a: b: if a == b then a else throw a) (builtins.plain 1) (map builtins.waiting (builtins.genList (n: n) 20))",
    ],
)
async def test_functions_of_the_program_see_the_context_of_the_request(code: str) -> None:
    io = Asked({"f.nix": "n: builtins.waiting n"})
    evaluation = Evaluation.builder(io).builtins(plain, waiting, threaded).build()
    seen: dict[str, object] = {}

    async def serve(name: str) -> None:
        request.set(name)
        result = await evaluator.evaluate(code)
        seen[name] = result.unwrap().to_python()
        assert request.get() == name

    async with Evaluator(evaluation) as evaluator, anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(serve, f"request {number}")
    assert seen == {name: name for name in seen}


async def test_a_backend_sees_the_context_of_the_request() -> None:
    io = Asked({"a.nix": '"${./d} ${toString ./a.nix}"', "d": {str(n): "x" * 10 for n in range(30)}, "t": ""})
    evaluation = Evaluation.builder(io).mode("strict").build()
    request.set("mine")
    await evaluation.evaluate('[ (import /a.nix) (builtins.readFile /t) (builtins.hashFile "md5" /t) ]')
    assert {name for name, _ in io.seen} == {"mine"}
    assert {path for _, path in io.seen} >= {"/a.nix", "/d", "/d/7", "/t"}


# -- log records


class Request(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request = request.get()
        return True


@pytest.fixture
def tagged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.handler.addFilter(tag := Request())
    with caplog.at_level(logging.DEBUG, "aionix"):
        yield
    caplog.handler.removeFilter(tag)


async def test_records_tell_what_was_evaluated_and_for_whom(caplog: pytest.LogCaptureFixture, tagged: None) -> None:
    async with Evaluator(Memory({"a.nix": "import ./b.nix", "b.nix": "throw ''no''"})) as evaluator:
        request.set("mine")
        await evaluator.evaluate_file("/a.nix")
        await evaluator.evaluate("1")
    told = [record.getMessage() for record in caplog.records]
    assert told[:2] == ["loading '/a.nix'", "loading '/b.nix'"]
    assert told[2].startswith("evaluated '/a.nix' in ")
    assert told[2].endswith("steps: E001")
    assert told[3].startswith("evaluated '«string»' in ")
    assert {record.request for record in caplog.records} == {"mine"}  # type: ignore[attr-defined]
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}


async def test_who_runs_out_is_told_at_info(caplog: pytest.LogCaptureFixture, tagged: None) -> None:
    await Evaluation.builder(Sealed()).build().evaluate("let f = n: f n; in f 1", budget=Budget(steps=100))
    assert [(record.levelno, record.getMessage()[-4:]) for record in caplog.records] == [(logging.INFO, "E052")]


async def test_a_path_makes_no_lines_of_its_own(caplog: pytest.LogCaptureFixture, tagged: None) -> None:
    await Evaluation.builder(Memory({"a\nforged.nix": "1"})).build().evaluate_file("/a\nforged.nix")
    assert not [record for record in caplog.records if "\n" in record.getMessage()]


def test_nothing_is_shown_and_nothing_imported_unless_asked_for() -> None:
    program = """
import sys, asyncio, aionix
budget = aionix.Budget(steps=1)
result = asyncio.run(aionix.Evaluation.builder_pure().build().evaluate("let f = n: f n; in f 1", budget=budget))
assert result.errors
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


# -- spans


EXPORTER = InMemorySpanExporter()


class WhenAsked(Sampler):
    """A process has one provider for ever: spans of all other tests would be kept by it, and slow them down."""

    asked = False

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: trace.SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[trace.Link] | None = None,
        trace_state: trace.TraceState | None = None,
    ) -> SamplingResult:
        return SamplingResult(Decision.RECORD_AND_SAMPLE if self.asked else Decision.DROP, attributes)

    def get_description(self) -> str:
        return "when asked"


@pytest.fixture(scope="module")
def sampler() -> WhenAsked:
    sampler = WhenAsked()
    provider = TracerProvider(sampler)
    provider.add_span_processor(SimpleSpanProcessor(EXPORTER))
    trace.set_tracer_provider(provider)
    return sampler


@pytest.fixture
def exporter(sampler: WhenAsked) -> Iterator[InMemorySpanExporter]:
    EXPORTER.clear()
    sampler.asked = True
    yield EXPORTER
    sampler.asked = False
    EXPORTER.clear()


def tree(spans: tuple[ReadableSpan, ...]) -> set[tuple[str, ...]]:
    """Each span as the way to it from the outermost one."""
    by_id = {span.context.span_id: span for span in spans if span.context}

    def way(span: ReadableSpan) -> tuple[str, ...]:
        above = by_id.get(span.parent.span_id) if span.parent else None
        what = str(next(iter((span.attributes or {"": ""}).values())))
        return (*(way(above) if above else ()), f"{span.name} {what}".removeprefix("aionix.").rstrip())

    return {way(span) for span in spans}


@aionix.builtin
async def traced(_: int) -> str:
    def work() -> None:
        with trace.get_tracer("test").start_as_current_span("in a thread"):
            pass

    await anyio.sleep(0.001)
    await anyio.to_thread.run_sync(work)
    return "traced"


async def test_spans_are_a_tree_across_fibers_threads_and_functions(exporter: InMemorySpanExporter) -> None:
    io = Memory({"a.nix": "import ./b.nix + builtins.readFile ./t", "b.nix": "builtins.traced 1", "t": "!"})
    evaluation = Evaluation.builder(io).builtins(traced).build()
    with trace.get_tracer("test").start_as_current_span("request"):
        async with Evaluator(evaluation) as evaluator:
            await evaluator.evaluate_file("/a.nix")
    request, evaluate = "request", "evaluate /a.nix"
    a, b = "import /a.nix", "import /b.nix"
    assert tree(exporter.get_finished_spans()) == {
        (request,),
        (request, evaluate),
        (request, evaluate, "io.file_type /a.nix"),
        (request, evaluate, a),
        (request, evaluate, a, "io.read /a.nix"),
        (request, evaluate, a, "io.file_type /b.nix"),
        (request, evaluate, a, b),
        (request, evaluate, a, b, "io.read /b.nix"),
        (request, evaluate, a, b, "builtin traced"),
        (request, evaluate, a, b, "builtin traced", "in a thread"),
        (request, evaluate, a, "io.read /t"),
    }


async def test_spans_of_many_requests_do_not_mix(exporter: InMemorySpanExporter) -> None:
    files = {f"{n}.nix": f"builtins.deepSeq (builtins.traced {n}) (builtins.readFile /{n}.nix)" for n in range(10)}
    evaluation = Evaluation.builder(Memory(files)).builtins(traced).build()

    async def serve(evaluator: Evaluator, number: int) -> None:
        with trace.get_tracer("test").start_as_current_span(f"request {number}"):
            async for _ in evaluator.evaluate_many([PurePosixPath(f"/{number}.nix")]):
                pass

    async with Evaluator(evaluation) as evaluator, anyio.create_task_group() as group:
        for number in range(10):
            group.start_soon(serve, evaluator, number)
    ways = [way for way in tree(exporter.get_finished_spans()) if "evaluate" in "".join(way)]
    for way in ways:
        number = way[0].removeprefix("request ")
        assert all([f"/{number}.nix" in step for step in way if ".nix" in step]), way
    assert len(ways) == 10 * 6


async def test_a_span_says_what_went_wrong_and_what_it_took(exporter: InMemorySpanExporter) -> None:
    async with Evaluator(Memory({"a.nix": "throw ''no''"})) as evaluator:
        await evaluator.evaluate_file("/a.nix")
    [evaluate] = [span for span in exporter.get_finished_spans() if span.name == "aionix.evaluate"]
    [loaded] = [span for span in exporter.get_finished_spans() if span.name == "aionix.import"]
    assert evaluate.attributes is not None
    assert evaluate.attributes["aionix.error_code"] == "E001"
    assert evaluate.attributes["aionix.io_calls"] == 2
    assert not loaded.status.is_ok


async def test_cancelled_evaluations_end_their_spans(
    exporter: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    class Silent(Memory):
        async def read(self, path: str) -> bytes:
            await anyio.sleep_forever()
            raise AssertionError

    evaluation = Evaluation.builder(Silent({"a.nix": "1"})).build()
    with anyio.move_on_after(0.02):
        await evaluation.evaluate('map (x: import /a.nix) [ 1 ] == [ 1 ]')
    gc.collect()
    assert {span.name for span in exporter.get_finished_spans()} >= {"aionix.evaluate", "aionix.io.read"}
    assert not caplog.records  # OpenTelemetry logs a context that is left in another one


# -- what travels


def error_tree(root: type[Exception]) -> Iterator[type[Exception]]:
    yield root
    for kind in root.__subclasses__():
        yield from error_tree(kind)


def made(kind: type[Exception]) -> Exception:
    if issubclass(kind, errors.FileError):
        return kind("what is wrong", "/the/path")
    if issubclass(kind, errors.InfiniteRecursion):
        return kind([None, 1])
    return kind("what is wrong")


@pytest.mark.parametrize(
    "kind", [*error_tree(errors.NixError), errors.InternalError, aionix.EvaluatorClosed], ids=lambda kind: kind.__name__
)
def test_every_error_can_be_pickled(kind: type[Exception]) -> None:
    error = made(kind)
    if isinstance(error, errors.NixError):
        error.add_frame("while calling 'f'", Span(1, 2))
        error.hint = "try again"
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert copy.args == error.args
    if isinstance(error, errors.NixError):
        assert (copy.message, copy.hint, copy.frames) == (error.message, error.hint, error.frames)
        assert getattr(copy, "path", None) == getattr(error, "path", None)


def test_errors_md_and_the_tree_at_its_top_name_every_error() -> None:
    assert errors.__doc__ is not None
    for kind in error_tree(errors.NixError):
        assert kind.__module__ != "aionix.errors" or kind.__name__ in errors.__doc__


async def test_an_error_is_told_after_its_evaluation_is_forgotten() -> None:
    evaluation = Evaluation.builder(Sealed()).build()
    value = (await evaluation.evaluate("{ a = throw ''later''; f = x: x.y; }")).unwrap()
    result = await evaluation.evaluate("\n  nope")
    error, result = result.errors[0], await evaluation.evaluate("1")
    with pytest.raises(errors.Throw) as later:
        await value.get("a")
    del value
    gc.collect()
    assert "«string»:2:3" in aionix.render(error)
    assert "throw ''later''" in aionix.render(later.value)
    assert "«string»:2:3" in aionix.render(pickle.loads(pickle.dumps(error)))


async def test_a_service_does_not_grow_with_what_it_has_evaluated() -> None:
    evaluation = Evaluation.builder(Memory({"lib.nix": "x: x + 1"})).mode("strict").build()

    async def serve(times: int) -> int:
        for number in range(times):
            # Long enough that 400 of them are more than what is kept of the last ones.
            await evaluation.evaluate(f"{{ a = import /lib.nix {number}; }}" + " " * 200)
            await evaluation.evaluate(f"nope{number}")
        gc.collect()
        return len([each for each in gc.get_objects() if str(type(each)).startswith("<class 'aionix")])

    before = await serve(400)
    assert await serve(1200) - before < 600


async def test_a_value_stays_in_its_process_and_says_so() -> None:
    value = (await Evaluation.builder(Sealed()).build().evaluate("{ a = 1; }")).unwrap()
    with pytest.raises(TypeError, match="to_python"):
        pickle.dumps(value)


@pytest.mark.parametrize(
    "data", [Budget(steps=1), aionix.Usage(steps=2), Statistics(1), aionix.Job(code="1"), aionix.Access.READ]
)
def test_what_is_said_about_evaluations_is_plain_data(data: object) -> None:
    assert pickle.loads(pickle.dumps(data)) == data
