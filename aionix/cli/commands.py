"""`aionix`: evaluate, parse and look into Nix code from a shell."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from aionix._version import __version__
from aionix.cli.derivation import derivation
from aionix.cli.flags import (
    argument_options,
    code_cache_option,
    given_arguments,
    given_input,
    input_options,
    language_options,
    language_settings,
    pure_option,
    show_trace_option,
    tell,
)
from aionix.cli.options import MAX_CALL_DEPTH, Job, Output
from aionix.cli.terminal import in_event_loop, leave, run_program, write

EVAL_EXAMPLES = """\b
Examples:
  aionix eval -E '1 + 1'
  aionix eval --json --strict config.nix
  aionix eval config.nix -A services.web.port
  aionix eval --watch --strict config.nix
  aionix eval -E '{ name }: "hello ${name}"' --argstr name you --raw
"""


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
@input_options
@click.option("-A", "--attr", metavar="PATH", help="Print this part only, such as services.web.")
@argument_options
@click.option("--strict", is_flag=True, help="Evaluate and print all parts; else some show as <CODE>.")
@click.option("--json", "output", flag_value="json", help="Print JSON.")
@click.option("--xml", "output", flag_value="xml", help="Print XML.")
@click.option("--raw", "output", flag_value="raw", help="Print a string as it is, without quotes.")
@pure_option
@click.option("--trace", is_flag=True, help="Tell every call and instruction on standard error.")
@show_trace_option
@click.option("--watch", is_flag=True, help="Do it again whenever something changes that it depends on.")
@code_cache_option
@click.option("--max-call-depth", type=click.IntRange(1), default=MAX_CALL_DEPTH, metavar="N")
@language_options
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
    trace: bool,
    show_trace: bool,
    watch: bool,
    no_code_cache: bool,
    max_call_depth: int,
    **language: object,
) -> None:
    """Evaluate a FILE, or an expression, and print its value."""
    settings = language_settings(**language)  # type: ignore[arg-type]  # click has checked them
    settings.pure, settings.strict, settings.trace, settings.show_trace = pure, strict, trace, show_trace
    settings.code_cache = not no_code_cache
    settings.search_path, settings.max_call_depth = list(include), max_call_depth
    arguments = given_arguments(arg, argstr)
    job = Job(
        [given_input(file, expression)], [attr] if attr else [], arguments, output or "value", call=True
    )
    if watch:
        if job.inputs[0].kind == "stdin":
            raise click.UsageError("Standard input cannot be watched.")
        from aionix.cli.watch import watch as watched

        in_event_loop(lambda: watched(job, settings))
    from aionix.cli.job import text_of

    tell(lambda: in_event_loop(lambda: text_of(job, settings)), show_trace)


@app.command("parse")
@input_options
@language_options
def parse_command(file: str | None, expression: str | None, **language: object) -> None:
    """Check a FILE without running it, and print how it was understood."""
    settings = language_settings(**language)  # type: ignore[arg-type]  # click has checked them
    from aionix.cli.parse import parsed

    tell(lambda: parsed(given_input(file, expression), settings))


@app.command("disassemble")
@input_options
@language_options
def disassemble_command(file: str | None, expression: str | None, **language: object) -> None:
    """Print the bytecode of a FILE."""
    settings = language_settings(**language)  # type: ignore[arg-type]  # click has checked them
    from aionix.cli.parse import disassembled

    tell(lambda: disassembled(given_input(file, expression), settings))


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


app.add_command(derivation)


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
    leave(run_program("aionix", command))
