"""From a job to its text: evaluate each input, select, call with `--arg`, print."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TypeVar

from aionix.cli.options import PIPE_OPERATORS, Argument, Input, Job, Settings
from aionix.cli.selection import auto_call, select
from aionix.cli.terminal import read_standard_input, say, tell_error, tell_warning, tell_warnings
from aionix.errors import NixError
from aionix.evaluation import Evaluation, EvaluationBuilder, EvaluationResult
from aionix.observers import TracingObserver
from aionix.rendering import printable
from aionix.source import SourceMap
from aionix.syntax import ParseOptions
from aionix.values.coercion import coerce_to_string
from aionix.values.deep import force_deep
from aionix.values.printing import show
from aionix.values.thunk import Value, native
from aionix.vm.fiber import running
from aionix.vm.search_path import split_nix_path
from io_backends import LocalDisk

T = TypeVar("T")


def configured(settings: Settings) -> EvaluationBuilder:
    """The builder of an evaluation as `settings` want it, on the local disk. It has the event loop
    for itself: a third of the time of a warm run would be spent on going to threads and back."""
    sources = SourceMap()
    builder = (
        Evaluation.builder(LocalDisk(env=True, threads=False))
        .pure(settings.pure)
        .features(settings.features)
        .search_path(search_path(settings))
        .max_call_depth(settings.max_call_depth)
        .abort_on_warn(settings.abort_on_warn)
        .source_map(sources)
        .parse_options(parse_options(settings, sources))
        .trace(lambda message: say(printable(message)))
        .runtime_observer(TracingObserver() if settings.trace else None)
        .code_cache(code_cache(settings), threads=False)
        .slice(0.1)  # Ctrl-C has to wait for the end of one
        .ahead(0)  # it never waits
    )
    return builder.current_system(settings.system) if settings.system else builder


def code_cache(settings: Settings) -> str | bool:
    """The directory in which code is kept, True for the usual one, or False: `AIONIX_CODE_CACHE` has
    a say unless `settings` say no."""
    wanted = os.environ.get("AIONIX_CODE_CACHE", "")
    if not settings.code_cache or wanted == "0":
        return False
    return os.path.join(os.getcwd(), wanted) if wanted not in ("", "1") else True


def search_path(settings: Settings) -> list[str]:
    """`-I` first, then NIX_PATH; in pure mode the environment has no say."""
    nix_path = settings.nix_path
    if nix_path is None:
        nix_path = "" if settings.pure else os.environ.get("NIX_PATH", "")
    return [*settings.search_path, *split_nix_path(nix_path)]


def parse_options(settings: Settings, sources: SourceMap) -> ParseOptions:
    """The grammar and lints that `settings` want; warnings are told at once."""
    return ParseOptions(
        pipe_operators=PIPE_OPERATORS in settings.features,
        url_literals=settings.url_literals,
        absolute_path_literals=settings.absolute_path_literals,
        short_path_literals=settings.short_path_literals,
        warn=lambda message, span: tell_warning(message, span, sources=sources),
    )


async def text_of(job: Job, settings: Settings) -> str:
    """What the job prints, whole; raises NixError."""
    return await text_from(configured(settings).build(), job, settings)


async def text_from(evaluation: Evaluation, job: Job, settings: Settings) -> str:
    """`text_of`, by an `evaluation` that may know some of it already."""
    arguments = given_values(evaluation, job.arguments)

    def printed(value: Value) -> str:
        return _printed(value, arguments, job, settings)

    return "".join(await selected(evaluation, job, arguments, settings, printed))


async def selected(
    evaluation: Evaluation,
    job: Job,
    arguments: Mapping[str, Value],
    settings: Settings,
    use: Callable[[Value], T],
) -> list[T]:
    """What `use` makes, in a fiber, of each part that the job names of each of its inputs."""
    results = []
    for given in job.inputs:
        value = await value_of(evaluation, given, settings)
        for path in job.attr_paths or [""]:
            results.append(await evaluation.run(lambda: use(select(value, path, arguments))))  # noqa: B023
    return results


def given_values(evaluation: Evaluation, arguments: Mapping[str, Argument]) -> dict[str, Value]:
    """The values of `--arg` and `--argstr`."""
    return {name: _argument(evaluation, given) for name, given in arguments.items()}


def _argument(evaluation: Evaluation, given: Argument) -> Value:
    if given.kind == "string":
        return given.text
    expression = Input("expression", given.text)
    # A thunk: an argument that nobody looks at is not evaluated.
    return native(lambda _: running().suspend(value_of(evaluation, expression, Settings())))(None)


async def value_of(evaluation: Evaluation, given: Input, settings: Settings) -> Value:
    """The value of an input, evaluated to its outermost constructor; raises NixError."""
    result = await _evaluated(evaluation, given)
    if settings.warnings:
        tell_warnings(result.warnings, evaluation.sources)
    for error in result.errors[:0:-1]:  # the first one comes last, where people look
        tell_error(error, show_trace=settings.show_trace)
    return result.unwrap().raw


async def _evaluated(evaluation: Evaluation, given: Input) -> EvaluationResult:
    if given.kind == "stdin":
        return await evaluation.evaluate(read_standard_input(), "«stdin»", base_dir=os.getcwd())
    if given.kind == "expression":
        return await evaluation.evaluate(given.text, base_dir=os.getcwd())
    if given.text.startswith("<") and given.text.endswith(">"):
        return await evaluation.evaluate(f"import {given.text}", base_dir=os.getcwd())
    return await evaluation.evaluate_file(given.text)


def _printed(value: Value, arguments: Mapping[str, Value], job: Job, settings: Settings) -> str:
    if arguments or job.call:
        value = auto_call(value, arguments)
    if settings.strict:
        force_deep(value)
    if job.output == "json":
        from aionix.builtins.encode import to_json

        return to_json(value) + "\n"
    if job.output == "xml":
        from aionix.builtins.encode import to_xml

        return to_xml(value, location=job.location)
    if job.output == "raw":
        return _raw(value)
    return show(value) + "\n"


def _raw(value: Value) -> str:
    try:
        return coerce_to_string(value)
    except NixError as error:
        error.add_frame("while generating the output")
        raise
