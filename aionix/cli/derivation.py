"""`aionix derivation`: look at derivations, in `.drv` files or as Nix code makes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import click

from aionix.cli.flags import (
    argument_options,
    code_cache_option,
    features_option,
    given_arguments,
    given_features,
    pure_option,
    show_trace_option,
    tell,
    together,
)
from aionix.cli.options import Settings
from aionix.cli.terminal import in_event_loop, tell_error, write
from aionix.errors import NixError

if TYPE_CHECKING:
    from aionix.cli.subjects import Request

F = TypeVar("F", bound=Callable[..., object])

DIFFERENT, TROUBLE = 1, 2

SHOW_EXAMPLES = """\b
Examples:
  aionix derivation show default.nix -A hello
  aionix derivation show --recursive release.nix#linux.image
  aionix derivation show drvs/q4hl45993q7r5p8q67bx3nanl97qhmsh-hello-2.10.drv
"""
DIFF_EXAMPLES = """\b
Examples:
  aionix derivation diff old.nix#hello new.nix#hello
  aionix derivation diff before/q4hl45...-hello.drv after/kz8r4n...-hello.drv
  aionix derivation diff -E 'import ./. { }' -E 'import ./. { debug = true; }'
"""
GRAPH_EXAMPLES = """\b
Examples:
  aionix derivation graph default.nix -A hello | dot -Tsvg > hello.svg
  aionix derivation graph --json -E 'import ./. { }'
"""

_subject_options = together(
    click.argument("files", nargs=-1, metavar="[FILE[#ATTR] | DRVFILE]..."),
    click.option("-E", "--expr", "expressions", multiple=True, help="Nix code, instead of a FILE."),
    click.option("-A", "--attr", default="", metavar="PATH", help="The part of the value, such as a.b."),
    argument_options,
    pure_option,
    show_trace_option,
    code_cache_option,
    features_option,
)


@click.group("derivation")
def derivation() -> None:
    """Look at derivations: show, diff, graph.

    They are named by a Nix FILE, with #ATTR for a part of its value, by -E, or by a .drv file, beside
    which the .drv files of its inputs are.
    """


def _request(
    files: Sequence[str],
    expressions: Sequence[str],
    attr: str,
    arg: Sequence[tuple[str, str]],
    argstr: Sequence[tuple[str, str]],
    include: Sequence[str],
    pure: bool,
    show_trace: bool,
    no_code_cache: bool,
    features: Sequence[str],
) -> Request:
    from aionix.cli.subjects import Request, subjects

    settings = Settings(pure=pure, show_trace=show_trace, search_path=list(include))
    settings.code_cache = not no_code_cache
    settings.features = given_features(features)
    return Request(subjects(files, expressions, attr), given_arguments(arg, argstr), settings)


@derivation.command("show", epilog=SHOW_EXAMPLES)
@_subject_options
@click.option("-r", "--recursive", is_flag=True, help="Also all derivations they need.")
def show(recursive: bool, **given: object) -> None:
    """Print derivations as JSON, as `nix derivation show` does."""
    request = _request(**given)  # type: ignore[arg-type]  # click has checked them
    from aionix.cli.subjects import shown

    tell(lambda: in_event_loop(lambda: shown(request, recursive)), request.settings.show_trace)


@derivation.command("diff", epilog=DIFF_EXAMPLES)
@_subject_options
def diff(**given: object) -> int:
    """Tell why two derivations differ.

    Prints the inputs that the difference comes from, and what is different there. The exit status is 0
    if the derivations are the same, 1 if they differ, and 2 if that cannot be told.
    """
    request = _request(**given)  # type: ignore[arg-type]  # click has checked them
    if len(request.subjects) != 2:
        raise click.UsageError("Give it two: FILEs, .drv files or -E EXPRESSIONs.")
    from aionix.cli.subjects import compared

    try:
        found = in_event_loop(lambda: compared(request))
    except NixError as error:
        tell_error(error, show_trace=request.settings.show_trace)
        return TROUBLE
    if found is None:
        return 0
    write(str(found))
    return DIFFERENT


@derivation.command("graph", epilog=GRAPH_EXAMPLES)
@_subject_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON: nodes and edges.")
def graph(as_json: bool, **given: object) -> None:
    """Print what derivations need, and what that needs, for Graphviz."""
    request = _request(**given)  # type: ignore[arg-type]  # click has checked them
    from aionix.cli.subjects import drawn

    tell(lambda: in_event_loop(lambda: drawn(request, as_json)), request.settings.show_trace)
