"""`aionix`: evaluate, parse and look into Nix code from a shell."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

import click

from aionix._version import __version__
from aionix.cli.options import (
    LINT_LEVELS,
    MAX_CALL_DEPTH,
    PIPE_OPERATORS,
    Argument,
    Input,
    Job,
    Output,
    Settings,
)
from aionix.cli.terminal import fail, in_event_loop, run_program, write
from aionix.errors import NixError
from aionix.syntax.options import Lint

F = TypeVar("F", bound=Callable[..., object])

EVAL_EXAMPLES = """\b
Examples:
  aionix eval -E '1 + 1'
  aionix eval --json --strict config.nix
  aionix eval config.nix -A services.web.port
  aionix eval -E '{ name }: "hello ${name}"' --argstr name you --raw
"""


def _all(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def _lint(flag: str, what: str) -> Callable[[F], F]:
    told = f"What to do about {what}: ignore, warn or fatal."
    return click.option(flag, type=click.Choice(LINT_LEVELS), default="ignore", metavar="LEVEL", help=told)


_input_options = _all(
    click.argument("file", required=False),
    click.option("-E", "--expr", "expression", help="Nix code, instead of a FILE."),
)
_language_options = _all(
    click.option("--warnings", is_flag=True, help="Tell what looks wrong: unused names, idle conditions."),
    _lint("--lint-url-literals", "URLs without quotes"),
    _lint("--lint-absolute-path-literals", "paths like /etc/hosts"),
    _lint("--lint-short-path-literals", "paths like foo/bar"),
    click.option("--pipe-operators", is_flag=True, help="Allow |> and <|."),
    click.option("--extra-experimental-features", "features", multiple=True, metavar="NAME", hidden=True),
)


def _input(file: str | None, expression: str | None) -> Input:
    if expression is not None and file is None:
        return Input("expression", expression)
    if file is not None and expression is None:
        return Input("stdin" if file == "-" else "file", file)
    raise click.UsageError("Give it either a FILE (- is standard input) or -E EXPRESSION.")


def _settings(
    warnings: bool,
    lint_url_literals: Lint,
    lint_absolute_path_literals: Lint,
    lint_short_path_literals: Lint,
    pipe_operators: bool,
    features: Sequence[str],
) -> Settings:
    wanted = {name for given in features for name in given.split()}
    return Settings(
        warnings=warnings,
        features=wanted | {PIPE_OPERATORS} if pipe_operators else wanted,
        url_literals=lint_url_literals,
        absolute_path_literals=lint_absolute_path_literals,
        short_path_literals=lint_short_path_literals,
    )


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="aionix")
def app() -> None:
    """Evaluate the Nix language, without Nix.

    \b
    Begin with:
      aionix eval -E '1 + 1'
      aionix eval --json --strict FILE
    """


@app.command("eval", epilog=EVAL_EXAMPLES)
@_input_options
@click.option("-A", "--attr", metavar="PATH", help="Print this part only, such as services.web.")
@click.option("--arg", nargs=2, multiple=True, metavar="NAME EXPR", help="Call functions with NAME = EXPR.")
@click.option("--argstr", nargs=2, multiple=True, metavar="NAME TEXT", help="... with NAME = TEXT, a string.")
@click.option("-I", "--include", multiple=True, metavar="[NAME=]PATH", help="Where <NAME> is found.")
@click.option("--strict", is_flag=True, help="Evaluate and print all parts; else some show as <CODE>.")
@click.option("--json", "output", flag_value="json", help="Print JSON.")
@click.option("--xml", "output", flag_value="xml", help="Print XML.")
@click.option("--raw", "output", flag_value="raw", help="Print a string as it is, without quotes.")
@click.option("--pure", is_flag=True, help="No environment variables, clock or search path from outside.")
@click.option("--trace", "watch", is_flag=True, help="Tell every call and instruction on standard error.")
@click.option("--show-trace", is_flag=True, help="In errors, show the whole way to the mistake.")
@click.option("--max-call-depth", type=click.IntRange(1), default=MAX_CALL_DEPTH, metavar="N")
@_language_options
def evaluate(
    file: str | None,
    expression: str | None,
    attr: str | None,
    arg: Sequence[tuple[str, str]],
    argstr: Sequence[tuple[str, str]],
    include: Sequence[str],
    strict: bool,
    output: Output | None,
    pure: bool,
    watch: bool,
    show_trace: bool,
    max_call_depth: int,
    **language: object,
) -> None:
    """Evaluate a FILE, or an expression, and print its value."""
    settings = _settings(**language)  # type: ignore[arg-type]  # click has checked them
    settings.pure, settings.strict, settings.watch, settings.show_trace = pure, strict, watch, show_trace
    settings.search_path, settings.max_call_depth = list(include), max_call_depth
    arguments = {name: Argument("expression", text) for name, text in arg}
    arguments |= {name: Argument("string", text) for name, text in argstr}
    job = Job([_input(file, expression)], [attr] if attr else [], arguments, output or "value", call=True)
    from aionix.cli.job import text_of

    _tell(lambda: in_event_loop(lambda: text_of(job, settings)), show_trace)


@app.command("parse")
@_input_options
@_language_options
def parse_command(file: str | None, expression: str | None, **language: object) -> None:
    """Check a FILE without running it, and print how it was understood."""
    settings = _settings(**language)  # type: ignore[arg-type]  # click has checked them
    from aionix.cli.parse import parsed

    _tell(lambda: parsed(_input(file, expression), settings))


@app.command("disassemble")
@_input_options
@_language_options
def disassemble_command(file: str | None, expression: str | None, **language: object) -> None:
    """Print the bytecode of a FILE."""
    settings = _settings(**language)  # type: ignore[arg-type]  # click has checked them
    from aionix.cli.parse import disassembled

    _tell(lambda: disassembled(_input(file, expression), settings))


@app.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a script that makes a shell complete options.

    \b
    For bash, put this into ~/.bashrc:
      eval "$(aionix completion bash)"
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    write(kind(app, {}, "aionix", "_AIONIX_COMPLETE").source() + "\n")


def _tell(text: Callable[[], str], show_trace: bool = False) -> None:
    try:
        write(text())
    except NixError as error:
        fail(error, show_trace=show_trace)


def command() -> None:
    try:
        status = app.main(prog_name="aionix", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        raise KeyboardInterrupt from None
    if isinstance(status, int):
        sys.exit(status)


def main() -> None:
    """The program."""
    sys.exit(run_program("aionix", command))
