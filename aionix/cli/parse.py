"""`--parse`: a text, parsed, checked as far as that goes without running it, printed again."""

from __future__ import annotations

import os
import sys

from aionix.cli.job import parse_options
from aionix.cli.options import Input, Settings
from aionix.cli.terminal import tell_warnings
from aionix.compiler.bindings import normalise
from aionix.compiler.compiler import compile_expression
from aionix.errors import FileError, NixError
from aionix.evaluation import Evaluation
from aionix.source import Source, SourceMap
from aionix.syntax import parse
from aionix.syntax.pretty import show
from io_backends import Sealed


def parsed(given: Input, settings: Settings) -> str:
    """The expression as Nix prints it, on a line; raises NixError, compile errors included."""
    sources = SourceMap()
    try:
        source, base_dir = read_input(given, sources)
        expr = parse(source, parse_options(settings))
        known = frozenset(Evaluation.builder(Sealed()).build().globals)
        result = compile_expression(expr, source, global_names=known, base_dir=base_dir)
        if result.errors:
            raise result.errors[0]
    except NixError as error:
        error.sources = sources
        raise
    tell_warnings(result.warnings, sources, all_of_them=settings.warnings)
    return show(normalise(expr)) + "\n"


def read_input(given: Input, sources: SourceMap) -> tuple[Source, str]:
    """The text of an input, taken into `sources`, and the directory its relative paths are in."""
    if given.kind == "expression":
        return sources.add("«string»", given.text), os.getcwd()
    if given.kind == "stdin":
        return sources.add("«stdin»", sys.stdin.buffer.read()), os.getcwd()
    path = os.path.abspath(given.text)
    if os.path.isdir(path):
        path = os.path.join(path, "default.nix")
    try:
        with open(path, "rb") as file:
            return sources.add(path, file.read()), os.path.dirname(path)
    except FileNotFoundError:
        raise FileError(f"path '{path}' does not exist", path) from None
    except OSError as error:
        raise FileError(f"opening file '{path}': {error.strerror}", path) from None
