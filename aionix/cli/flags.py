"""What several commands of `aionix` can be told, and how they end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import click

from aionix.cli.options import LINT_LEVELS, PIPE_OPERATORS, Argument, Input, Settings
from aionix.cli.terminal import fail, write
from aionix.errors import NixError
from aionix.syntax.options import Lint

F = TypeVar("F", bound=Callable[..., object])


def together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """The options as one decorator; in help they come in this order."""

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def _lint(flag: str, what: str) -> Callable[[F], F]:
    told = f"What to do about {what}: ignore, warn or fatal."
    return click.option(flag, type=click.Choice(LINT_LEVELS), default="ignore", metavar="LEVEL", help=told)


input_options = together(
    click.argument("file", required=False),
    click.option("-E", "--expr", "expression", help="Nix code, instead of a FILE."),
)
argument_options = together(
    click.option("--arg", nargs=2, multiple=True, metavar="NAME EXPR", help="Call functions with it."),
    click.option("--argstr", nargs=2, multiple=True, metavar="NAME TEXT", help="... with a string."),
    click.option("-I", "--include", multiple=True, metavar="[NAME=]PATH", help="Where <NAME> is found."),
)
pure_option = click.option(
    "--pure", is_flag=True, help="No environment variables, clock or search path from outside."
)
show_trace_option = click.option(
    "--show-trace", is_flag=True, help="In errors, show the whole way to the mistake."
)
features_option = click.option(
    "--extra-experimental-features", "features", multiple=True, metavar="NAME", hidden=True
)
code_cache_option = click.option(
    "--no-code-cache", is_flag=True, help="Do not keep compiled files, nor use those that are kept."
)
language_options = together(
    click.option("--warnings", is_flag=True, help="Tell what looks wrong: unused names, idle conditions."),
    _lint("--lint-url-literals", "URLs without quotes"),
    _lint("--lint-absolute-path-literals", "paths like /etc/hosts"),
    _lint("--lint-short-path-literals", "paths like foo/bar"),
    click.option("--pipe-operators", is_flag=True, help="Allow |> and <|."),
    features_option,
)


def given_input(file: str | None, expression: str | None) -> Input:
    """The one input of a command."""
    if expression is not None and file is None:
        return Input("expression", expression)
    if file is not None and expression is None:
        return Input("stdin" if file == "-" else "file", file)
    raise click.UsageError("Give it either a FILE (- is standard input) or -E EXPRESSION.")


def given_arguments(arg: Sequence[tuple[str, str]], argstr: Sequence[tuple[str, str]]) -> dict[str, Argument]:
    """`--arg` and `--argstr`, by name."""
    arguments = {name: Argument("expression", text) for name, text in arg}
    return arguments | {name: Argument("string", text) for name, text in argstr}


def language_settings(
    warnings: bool,
    lint_url_literals: Lint,
    lint_absolute_path_literals: Lint,
    lint_short_path_literals: Lint,
    pipe_operators: bool,
    features: Sequence[str],
) -> Settings:
    """Settings as `language_options` say."""
    wanted = given_features(features)
    return Settings(
        warnings=warnings,
        features=wanted | {PIPE_OPERATORS} if pipe_operators else wanted,
        url_literals=lint_url_literals,
        absolute_path_literals=lint_absolute_path_literals,
        short_path_literals=lint_short_path_literals,
    )


def given_features(features: Sequence[str]) -> set[str]:
    """The names in `--extra-experimental-features "a b"`."""
    return {name for given in features for name in given.split()}


def tell(text: Callable[[], str], show_trace: bool = False) -> None:
    """Writes what `text()` returns; its NixError ends the command."""
    try:
        write(text())
    except NixError as error:
        fail(error, show_trace=show_trace)
