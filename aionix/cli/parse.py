"""A text, parsed and compiled but not run: printed again (`--parse`), or its bytecode."""

from __future__ import annotations

import os

from aionix.bytecode.chunk import Lambda
from aionix.bytecode.disassemble import disassemble
from aionix.cli.job import parse_options
from aionix.cli.options import Input, Settings
from aionix.cli.terminal import read_standard_input, tell_warnings
from aionix.compiler import compile_expression
from aionix.compiler.bindings import normalise
from aionix.errors import FileError, NixError
from aionix.evaluation import Evaluation
from aionix.source import Source, SourceMap
from aionix.syntax import parse
from aionix.syntax.nodes import Expr
from aionix.syntax.pretty import show
from io_backends import Sealed


def parsed(given: Input, settings: Settings) -> str:
    """The expression as Nix prints it, on a line; raises NixError, compile errors included."""
    expr, base_dir, _ = _checked(given, settings, SourceMap())
    return show(normalise(expr), base_dir=base_dir, home=os.path.expanduser("~")) + "\n"


def disassembled(given: Input, settings: Settings) -> str:
    """The bytecode of the expression and of all functions and thunks in it; raises NixError."""
    sources = SourceMap()
    *_, code = _checked(given, settings, sources)
    return disassemble(code, sources) + "\n"


def _checked(given: Input, settings: Settings, sources: SourceMap) -> tuple[Expr, str, Lambda]:
    """The tree, the directory its relative paths are in, and the code."""
    try:
        source, base_dir = read_input(given, sources)
        expr = parse(source, parse_options(settings, sources))
        known = frozenset(Evaluation.builder(Sealed()).build().globals)
        result = compile_expression(expr, source, global_names=known, base_dir=base_dir)
    except NixError as error:
        error.sources = sources
        raise
    if settings.warnings:
        tell_warnings(result.warnings, sources)
    if result.code is None:
        first = result.errors[0]
        first.sources = sources
        raise first
    return expr, base_dir, result.code


def read_input(given: Input, sources: SourceMap) -> tuple[Source, str]:
    """The text of an input, taken into `sources`, and the directory its relative paths are in."""
    if given.kind == "expression":
        return sources.add("«string»", given.text), os.getcwd()
    if given.kind == "stdin":
        return sources.add("«stdin»", read_standard_input()), os.getcwd()
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
