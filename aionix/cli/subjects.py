"""From what the command line names to derivations, and what is told of them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aionix.cli.derivations import Found, derivations_in
from aionix.cli.job import configured, given_values, selected
from aionix.cli.options import Argument, Input, Job, Settings
from aionix.errors import ConversionError, InvalidArgument
from aionix.evaluation import Evaluation
from aionix.store.derivation import EXTENSION, Derivation, in_order
from aionix.store.difference import Difference
from aionix.store.reading import read_alone
from aionix.store.virtual import closure
from io_backends import LocalDisk


class Subject(NamedTuple):
    """A `.drv` file, or Nix code and the path of what is meant in its value."""

    given: Input
    attr: str

    @property
    def is_derivation(self) -> bool:
        return self.given.kind == "file" and self.given.text.endswith(EXTENSION)


class Request(NamedTuple):
    """What to look at, and how to evaluate it."""

    subjects: list[Subject]
    arguments: dict[str, Argument]
    settings: Settings


def subjects(files: Sequence[str], expressions: Sequence[str], attr: str) -> list[Subject]:
    """The subjects in the order files, expressions; `./default.nix` if there are none."""
    if not files and not expressions:
        files = ["./default.nix"]
    return [
        *[_file(name, attr) for name in files],
        *[Subject(Input("expression", e), attr) for e in expressions],
    ]


def _file(name: str, attr: str) -> Subject:
    if name == "-":
        return Subject(Input("stdin", name), attr)
    if name.endswith(EXTENSION):
        return Subject(Input("file", os.path.abspath(name)), "")
    file, mark, part = name.partition("#")
    if mark and not os.path.exists(name):
        return Subject(Input("file", file), part)
    return Subject(Input("file", name), attr)


async def instantiated(job: Job, settings: Settings, directory: str | None) -> str:
    """What nix-instantiate prints: the derivations that the job finds.

    Their files and those of all they need are written to `directory`. Raises NixError.
    """
    evaluation = configured(settings).build()
    found = await _found(evaluation, job, settings)
    if directory is not None:
        await _load(evaluation, found)
        await evaluation.store.write_to(directory, [each.path for each in found])
    return "".join([f"{each}\n" for each in found])


async def _found(evaluation: Evaluation, job: Job, settings: Settings) -> list[Found]:
    arguments = given_values(evaluation, job.arguments)
    directory = evaluation.store.directory
    lists = await selected(
        evaluation, job, arguments, settings, lambda value: derivations_in(value, arguments, directory)
    )
    return [each for found in lists for each in found]


async def _load(evaluation: Evaluation, found: Sequence[Found]) -> None:
    """Makes derivations known of which the evaluation only had the path."""
    for each in found:
        if each.path not in evaluation.store.derivations:
            await evaluation.host.load_derivation(each.path)


async def _paths(evaluation: Evaluation, request: Request, subject: Subject) -> list[str]:
    """The store paths of the derivations that are meant; the evaluation's store knows them."""
    if subject.is_derivation:
        return [await evaluation.store.read_from(LocalDisk(), subject.given.text)]
    job = Job([subject.given], [subject.attr], request.arguments)
    found = await _found(evaluation, job, request.settings)
    await _load(evaluation, found)
    return [each.path for each in found]


async def shown(request: Request, recursive: bool) -> str:
    """The derivations as JSON; raises NixError."""
    evaluation = configured(request.settings).build()
    store = evaluation.store
    found: dict[str, Derivation] = {}
    for subject in request.subjects:
        if subject.is_derivation and not recursive:
            path, derivation = await read_alone(store, LocalDisk(), subject.given.text)
            found[path] = derivation
            continue
        paths = await _paths(evaluation, request, subject)
        wanted = closure(paths, store.references) if recursive else paths
        found |= {path: store.derivations[path] for path in wanted if path in store.derivations}
    return _json({path: found[path].to_json() for path in in_order(found)})


async def compared(request: Request) -> Difference | None:
    """Why the two derivations differ; None if they do not. Raises NixError."""
    evaluation = configured(request.settings).build()
    left, right = [await _only(evaluation, request, subject) for subject in request.subjects]
    return evaluation.store.difference(left, right)


async def _only(evaluation: Evaluation, request: Request, subject: Subject) -> str:
    paths = await _paths(evaluation, request, subject)
    if len(paths) != 1:
        raise InvalidArgument(
            f"'{subject.given.text}' has {len(paths)} derivations, not one",
            hint="name one of them: FILE#ATTR, or -A ATTR",
        )
    return paths[0]


async def drawn(request: Request, as_json: bool) -> str:
    """The graph of the derivations, for Graphviz or as JSON; raises NixError."""
    evaluation = configured(request.settings).build()
    roots = [path for subject in request.subjects for path in await _paths(evaluation, request, subject)]
    graph = evaluation.store.graph(roots)
    return _json(graph.to_json()) if as_json else graph.to_dot()


def _json(data: Mapping[str, object]) -> str:
    """Indented as Nix does it. Raises ConversionError for text that is not UTF-8."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        start = text.rfind("\n", 0, error.start) + 1
        line = text[start : text.find("\n", start)].strip()
        raise ConversionError(f"JSON is written in UTF-8, which this is not: {line}") from None
    return text + "\n"
